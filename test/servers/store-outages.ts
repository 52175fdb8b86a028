import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { LocalStream } from "../../connectors/local/local-stream.ts";
import { openLocalSource } from "../../connectors/local/source.ts";
import { parseStreamArn } from "../../connectors/local/stream-arn.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";
import { PLAIN_MAPPING } from "../integration/stream-run.ts";
import {
  type AwayStore,
  feeding,
  OUTAGE_HANG,
  OUTAGE_PLAN,
  type OutageTold,
  TOLD_MS,
  tellOutage,
  until,
} from "./outage-plan.ts";

/** A store that a test can take away from all its users. */
export interface AwayStoreHarness {
  createContent(): Promise<AwayStoreContent>;
}

export interface AwayStoreContent extends AsyncDisposable {
  /** A handle of one process. */
  open(): Promise<ProgressStore>;
  begin(): Promise<void>;
  end(): Promise<void>;
}

const ARN = parseStreamArn("arn:aws:local:eu-west-1:123456789012:stream/orders");
const SHARDS = 8;
const SETTINGS = { ...DEFAULT_SETTINGS, checkpointIntervalMs: 100, backoffBaseMs: 50 };

/** Each store away for a while, under load and idle: all go on when it is back, and little comes twice. */
export function describeStoreOutages(name: AwayStore, harness: AwayStoreHarness): void {
  if (!name.includes(OUTAGE_PLAN.subject)) return;
  describe(`${name} is away`, OUTAGE_HANG, () => {
    for (const outageMs of OUTAGE_PLAN.outagesMs) {
      for (const load of ["load", "idle"] as const) {
        test(`for ${outageMs} ms, ${load === "load" ? "under load" : "while nothing comes"}: all go on, what was durable before does not come again, and the state says why`, async (t) => {
          for (let time = 0; time < OUTAGE_PLAN.times; time++)
            await play(t, harness, { subject: name, outageMs, load });
        });
      }
    }
  });
}

async function play(
  t: TestContext,
  harness: AwayStoreHarness,
  outage: Pick<OutageTold, "subject" | "outageMs" | "load">,
): Promise<void> {
  const { outageMs, load } = outage;
  await using content = await harness.createContent();
  await using scene = await Scene.start(content);
  scene.append(400);
  await scene.allSeen();
  await scene.allDurable();
  const durable = scene.seen.size;
  const isLoaded = load === "load";
  const feeding = isLoaded ? scene.feed() : undefined;
  await content.begin();
  const problems = await scene.watch(outageMs);
  await content.end();
  const backMs = performance.now();
  await feeding?.();
  scene.append(200);
  await scene.allSeen();
  await scene.allDurable();
  const tookMs = Math.round(performance.now() - backMs);
  const figures = { backMs: tookMs, repeated: scene.repeats.size, records: scene.seen.size };
  tellOutage(t, { ...outage, ...figures, said: problems });
  for (const data of scene.repeats) {
    assert.ok(
      Number(data) >= durable,
      `record ${data} was durable before the store went away and came again`,
    );
  }
  // A call that hangs is told when its time is up, and one failure is no problem yet.
  if (outageMs >= TOLD_MS) assert.match(problems.join(), /STORE_UNAVAILABLE/, "the state says why");
  assert.ok(tookMs <= OUTAGE_PLAN.backMsMax, `${tookMs} ms`);
}

/** Processes, as far as they share anything, on one stream and one store. */
class Scene implements AsyncDisposable {
  /** Data of all records that the function got. */
  readonly seen = new Set<string>();
  readonly repeats = new Set<string>();
  readonly #folder: string;
  readonly #stream: LocalStream;
  readonly #engines: Engine[] = [];
  readonly #closers: (() => Promise<void> | void)[] = [];
  #appended = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    const file = openStreamFile(join(folder, "orders.db"));
    this.#stream = file.createStream({ name: "orders", shards: SHARDS });
    this.#closers.push(() => file.close());
  }

  static async start(content: AwayStoreContent): Promise<Scene> {
    const scene = new Scene(mkdtempSync(join(tmpdir(), "millrace-")));
    for (let index = 0; index < OUTAGE_PLAN.processes; index++) await scene.#join(await content.open());
    return scene;
  }

  append(count: number): void {
    this.#stream.append(
      Array.from({ length: count }, () => {
        const data = String(this.#appended++);
        return { partitionKey: data, data };
      }),
    );
  }

  feed(): () => Promise<void> {
    return feeding(() => this.append(20));
  }

  async allSeen(): Promise<void> {
    await until(`${this.#appended} records`, () => this.seen.size === this.#appended);
  }

  /** Every shard is held by one process, and caught up with a checkpoint behind its last record. */
  async allDurable(): Promise<void> {
    await until("one owner of each shard that has caught up", () => {
      const shards = this.#statuses().flatMap((status) => status.shards);
      return shards.length === SHARDS && shards.every(({ caughtUp }) => caughtUp);
    });
  }

  /** What states said meanwhile. */
  async watch(ms: number): Promise<readonly string[]> {
    const problems = new Set<string>();
    const end = performance.now() + ms;
    while (performance.now() < end) {
      for (const { lastProcessingResult } of this.#statuses()) problems.add(lastProcessingResult);
      await sleep(Math.min(50, ms));
    }
    return [...problems];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.stop(5_000)));
    for (const close of this.#closers) await close();
    rmSync(this.#folder, { recursive: true });
  }

  async #join(store: ProgressStore): Promise<void> {
    const source = openLocalSource(join(this.#folder, "orders.db"), ARN);
    const engine = createQuietEngine({ store, settings: SETTINGS });
    const fn = { name: "orders", target: this.#target(), timeoutMs: 30_000, concurrency: 100 };
    const mapping = { ...PLAIN_MAPPING, eventSourceArn: ARN.arn };
    engine.start({ kind: "stream", mapping, source, fn, destination: undefined });
    this.#engines.push(engine);
    this.#closers.push(() => source.close());
  }

  #target(): FunctionTarget {
    return {
      invoke: async (payload) => {
        const { Records } = JSON.parse(Buffer.from(payload).toString()) as {
          readonly Records: readonly { readonly kinesis: { readonly data: string } }[];
        };
        for (const { kinesis } of Records) {
          const data = Buffer.from(kinesis.data, "base64").toString();
          if (this.seen.has(data)) this.repeats.add(data);
          this.seen.add(data);
        }
        await sleep(2);
        return { kind: "succeeded", payload: Buffer.from("null") };
      },
      close: async () => {},
    };
  }

  #statuses() {
    return this.#engines.flatMap((engine) => engine.status());
  }
}
