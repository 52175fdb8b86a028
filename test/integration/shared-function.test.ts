import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { localConnector } from "../../connectors/local/connector.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import type { InvocableFunction } from "../../src/engine/engine.ts";
import type { InvocationOutcome } from "../../src/model/outcome.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";
import { PLAIN_MAPPING } from "./stream-run.ts";

const CONCURRENCY = 10;
const RECORDS = 200;

test("two mappings share a function's ten slots evenly, while a function that hangs holds back only its own mapping", async (t) => {
  const { folder, engine } = start(t);
  const shared = new HeldFunction("shared");
  const hanging = new HeldFunction("hanging");

  engine.start(await deployment(t, folder, "hangs", hanging.fn));
  engine.start(await deployment(t, folder, "early", shared.fn));
  await until(() => hanging.held("hangs") === CONCURRENCY && shared.held("early") === CONCURRENCY);
  engine.start(await deployment(t, folder, "late", shared.fn));
  await waitForBacklog(() => engine.status().find(({ name }) => name === "late")?.shards.length === 10);

  for (let ended = 0; ended < CONCURRENCY / 2; ended++) shared.end("early");
  await until(() => shared.held("late") === CONCURRENCY / 2);
  assert.equal(shared.held("early"), CONCURRENCY / 2);
  for (let round = 0; round < 40; round++) {
    const name = round % 2 === 0 ? "late" : "early";
    const before = shared.started;
    shared.end(name);
    await until(() => shared.started === before + 1);
    assert.deepEqual([shared.held("early"), shared.held("late")], [CONCURRENCY / 2, CONCURRENCY / 2]);
  }

  shared.endAllFromNowOn();
  await until(() => ["early", "late"].every((name) => shared.succeeded(name) === RECORDS));
  assert.equal(shared.most, CONCURRENCY, "never more than ten in flight");
  assert.equal(hanging.held("hangs"), CONCURRENCY, "the function that hangs got its own ten, and no more");
  hanging.endAllFromNowOn();
});

test("a mapping that waits for a function's slots stops at once, and has its even share when it comes back", async (t) => {
  const { folder, engine } = start(t);
  const shared = new HeldFunction("shared");
  const early = await deployment(t, folder, "early", shared.fn);
  const late = await deployment(t, folder, "late", shared.fn);
  engine.start(early);
  await until(() => shared.held("early") === CONCURRENCY);
  engine.start(late);
  const isWaiting = () => engine.status().find(({ name }) => name === "late")?.shards.length === 10;
  await waitForBacklog(isWaiting);
  const stopped = engine.stopMapping(late.mapping.uuid, 10 * HANG_MS).then(() => true);
  assert.equal(await Promise.race([stopped, sleep(HANG_MS, false, { ref: false })]), true);
  assert.deepEqual([shared.held("early"), shared.held("late")], [CONCURRENCY, 0]);

  engine.start(late);
  await waitForBacklog(isWaiting);
  for (let ended = 0; ended < CONCURRENCY / 2; ended++) shared.end("early");
  await until(() => shared.held("late") === CONCURRENCY / 2);
  assert.equal(shared.held("early"), CONCURRENCY / 2);
  shared.endAllFromNowOn();
  await until(() => ["early", "late"].every((name) => shared.succeeded(name) === RECORDS));
});

function start(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-shared-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const engine = createQuietEngine();
  t.after(() => engine.stop(0));
  return { folder, engine };
}

async function deployment(t: TestContext, folder: string, name: string, fn: InvocableFunction) {
  const path = join(folder, `${name}.db`);
  const file = openStreamFile(path);
  const stream = file.createStream({ name, shards: 10 });
  stream.append(Array.from({ length: RECORDS }, (_, key) => ({ partitionKey: `key-${key}`, data: name })));
  file.close();
  const mapping = {
    ...PLAIN_MAPPING,
    uuid: randomUUID(),
    name,
    functionName: fn.name,
    eventSourceArn: `arn:aws:local:eu-west-1:000000000000:stream/${name}`,
    batchSize: 1,
    parallelizationFactor: 2,
  };
  const source = await localConnector.openStream(mapping, { endpoints: { LOCAL_FILE: [path] } });
  t.after(() => source.close());
  return { kind: "stream" as const, mapping, source, fn, destination: undefined };
}

/** A function whose calls end when the test says so. */
class HeldFunction implements FunctionTarget {
  readonly fn: InvocableFunction;
  started = 0;
  most = 0;
  readonly #held = new Map<string, ((outcome: InvocationOutcome) => void)[]>();
  readonly #succeeded = new Map<string, number>();
  #endsAll = false;

  constructor(name: string) {
    this.fn = { name, target: this, timeoutMs: 300_000, concurrency: CONCURRENCY };
  }

  invoke(payload: Uint8Array): Promise<InvocationOutcome> {
    const event = JSON.parse(Buffer.from(payload).toString());
    const name = String(event.Records[0].eventSourceARN).split("/").at(-1) ?? "";
    this.started++;
    return new Promise((resolve) => {
      const calls = this.#held.get(name) ?? [];
      calls.push(resolve);
      this.#held.set(name, calls);
      this.most = Math.max(this.most, [...this.#held.values()].flat().length);
      if (this.#endsAll) setImmediate(() => this.end(name));
    });
  }

  held(name: string): number {
    return this.#held.get(name)?.length ?? 0;
  }

  succeeded(name: string): number {
    return this.#succeeded.get(name) ?? 0;
  }

  end(name: string): void {
    const resolve = this.#held.get(name)?.shift();
    if (resolve === undefined) return;
    this.#succeeded.set(name, this.succeeded(name) + 1);
    resolve({ kind: "succeeded", payload: new Uint8Array() });
  }

  endAllFromNowOn(): void {
    this.#endsAll = true;
    for (const name of this.#held.keys()) while (this.held(name) > 0) this.end(name);
  }

  async close(): Promise<void> {
    this.endAllFromNowOn();
  }
}

/** Stops a test that hangs; no behaviour is judged by it. */
const HANG_MS = 60_000;

async function until(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + HANG_MS;
  while (!holds()) {
    assert.ok(performance.now() < deadlineMs, `${holds} did not come to hold`);
    await sleep(2);
  }
}

/** All shards taken, and time for their lanes to ask for slots. */
async function waitForBacklog(holds: () => boolean): Promise<void> {
  await until(holds);
  await sleep(300);
}
