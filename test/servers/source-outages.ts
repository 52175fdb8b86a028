import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../../src/engine/engine.ts";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { openSqliteStore } from "../../src/stores/sqlite.ts";
import { PLAIN_QUEUE_MAPPING } from "../fixtures/queue-mapping.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";
import { PLAIN_MAPPING } from "../integration/stream-run.ts";
import {
  type AwaySource,
  feeding,
  OUTAGE_HANG,
  OUTAGE_PLAN,
  type OutageTold,
  TOLD_MS,
  tellOutage,
  until,
} from "./outage-plan.ts";

/** A source that a test can take away from all processes that read it. */
export interface AwaySourceHarness {
  createContent(): Promise<AwaySourceContent>;
}

export interface AwaySourceContent extends AsyncDisposable {
  readonly eventSourceArn: string | undefined;
  /** Shards that one process at a time reads; of a queue 0. */
  readonly shards: number;
  /** One of each process. */
  open(): Promise<
    | { readonly kind: "stream"; readonly source: StreamSource }
    | { readonly kind: "queue"; readonly source: QueueSource }
  >;
  append(texts: readonly string[]): Promise<void>;
  /** False: it is away for those who append too. */
  readonly takesWhileAway: boolean;
  textsOf(event: unknown): readonly string[];
  /** Of a queue: messages that are not deleted yet. */
  depth?(): Promise<number>;
  begin(): Promise<void>;
  end(): Promise<void>;
}

const SETTINGS = { ...DEFAULT_SETTINGS, checkpointIntervalMs: 100, backoffBaseMs: 50 };
const AT_FIRST = 200;
const AFTERWARDS = 100;
const AT_ONCE = 4;

/**
 * Each source away for a while, under load and idle: all go on when it is back, and what is done does not come again.
 */
export function describeSourceOutages(name: AwaySource, harness: AwaySourceHarness): void {
  if (!name.includes(OUTAGE_PLAN.subject)) return;
  describe(`${name} is away`, OUTAGE_HANG, () => {
    for (const outageMs of OUTAGE_PLAN.outagesMs) {
      for (const load of ["load", "idle"] as const) {
        test(`for ${outageMs} ms, ${load === "load" ? "under load" : "while nothing comes"}: all go on, what was done before does not come again, and the state says why`, async (t) => {
          for (let time = 0; time < OUTAGE_PLAN.times; time++)
            await play(t, harness, { subject: name, outageMs, load });
        });
      }
    }
  });
}

async function play(
  t: TestContext,
  harness: AwaySourceHarness,
  outage: Pick<OutageTold, "subject" | "outageMs" | "load">,
): Promise<void> {
  const { outageMs, load } = outage;
  await using content = await harness.createContent();
  await using scene = await Scene.start(content);
  await scene.append(AT_FIRST);
  await scene.allDone();
  const done = scene.seen.size;
  const feed = load === "load" ? feeding(() => scene.append(AT_ONCE)) : undefined;
  if (!content.takesWhileAway) await feed?.();
  await content.begin();
  const problems = await scene.watch(outageMs);
  await content.end();
  const backMs = performance.now();
  await feed?.();
  await scene.append(AFTERWARDS);
  await scene.allDone();
  const tookMs = Math.round(performance.now() - backMs);
  const figures = { backMs: tookMs, repeated: scene.repeats.size, records: scene.seen.size };
  tellOutage(t, { ...outage, ...figures, said: problems });
  for (const text of scene.repeats) {
    assert.ok(Number(text) >= done, `${text} was done before the source went away and came again`);
  }
  if (outageMs >= TOLD_MS) assert.match(problems.join(), /PROBLEM|explained/, "the state says why");
  assert.ok(tookMs <= OUTAGE_PLAN.backMsMax, `${tookMs} ms`);
}

/** Processes, as far as they share anything, on one source and one store. */
class Scene implements AsyncDisposable {
  /** Texts of all records that the function got. */
  readonly seen = new Set<string>();
  readonly repeats = new Set<string>();
  readonly #content: AwaySourceContent;
  readonly #folder = mkdtempSync(join(tmpdir(), "millrace-"));
  readonly #engines: Engine[] = [];
  readonly #closers: (() => Promise<void>)[] = [];
  #appended = 0;

  private constructor(content: AwaySourceContent) {
    this.#content = content;
  }

  static async start(content: AwaySourceContent): Promise<Scene> {
    const scene = new Scene(content);
    for (let index = 0; index < OUTAGE_PLAN.processes; index++) await scene.#join();
    return scene;
  }

  async append(count: number): Promise<void> {
    const first = this.#appended;
    this.#appended += count;
    await this.#content.append(Array.from({ length: count }, (_, index) => String(first + index)));
  }

  /** The function has all, and that is durable: deleted, or every shard is held by one process that is caught up. */
  async allDone(): Promise<void> {
    await until(`${this.#appended} records`, () => this.seen.size === this.#appended);
    const { shards, depth } = this.#content;
    if (depth !== undefined) await until("an empty queue", async () => (await depth()) === 0);
    if (shards === 0) return;
    await until("one owner of each shard that has caught up", () => {
      const held = this.#statuses().flatMap((status) => ("shards" in status ? status.shards : []));
      return held.length === shards && held.every(({ caughtUp }) => caughtUp);
    });
  }

  /** What states said meanwhile. */
  async watch(ms: number): Promise<readonly string[]> {
    const said = new Set<string>();
    const end = performance.now() + ms;
    while (performance.now() < end) {
      for (const { lastProcessingResult } of this.#statuses()) said.add(lastProcessingResult);
      for (const problem of this.#explained()) said.add(`explained: ${problem}`);
      await sleep(Math.min(50, ms));
    }
    return [...said];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.stop(5_000)));
    for (const close of this.#closers) await close();
    rmSync(this.#folder, { recursive: true });
  }

  async #join(): Promise<void> {
    const { eventSourceArn } = this.#content;
    const store = await openSqliteStore(join(this.#folder, "progress.db"));
    const engine = createQuietEngine({ store, settings: SETTINGS, owner: randomUUID() });
    const fn = { name: "orders", target: this.#target(), timeoutMs: 2_000, concurrency: 100 };
    const subject = await this.#content.open();
    if (subject.kind === "stream") {
      engine.start({ ...subject, mapping: { ...PLAIN_MAPPING, eventSourceArn }, fn, destination: undefined });
    } else {
      const mapping = { ...PLAIN_QUEUE_MAPPING, eventSourceArn: eventSourceArn ?? "" };
      engine.start({ ...subject, mapping, fn });
    }
    this.#engines.push(engine);
    this.#closers.push(
      () => subject.source.close(),
      () => store.close(),
    );
  }

  #target(): FunctionTarget {
    return {
      invoke: async (payload) => {
        for (const text of this.#content.textsOf(JSON.parse(Buffer.from(payload).toString()))) {
          if (this.seen.has(text)) this.repeats.add(text);
          this.seen.add(text);
        }
        await sleep(2);
        return { kind: "succeeded", payload: Buffer.from("null") };
      },
      close: async () => {},
    };
  }

  /** What explanations say: a queue's mapping has no such result, as on AWS, and a single long failure is none yet. */
  #explained(): readonly string[] {
    return this.#engines.flatMap((engine) => {
      const explained = engine.explain(this.#uuid);
      if (explained === undefined) return [];
      if (explained.kind === "queue") return explained.receiving.failures?.lastProblem ?? [];
      return explained.shards.flatMap(({ readFailures }) => readFailures?.lastProblem ?? []);
    });
  }

  get #uuid(): string {
    return this.#content.shards === 0 ? PLAIN_QUEUE_MAPPING.uuid : PLAIN_MAPPING.uuid;
  }

  #statuses() {
    return this.#engines.flatMap((engine) => engine.status());
  }
}
