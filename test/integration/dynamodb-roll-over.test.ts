import assert from "node:assert/strict";
import { test } from "node:test";
import { createDynamodbSource } from "../../connectors/dynamodb-streams/source.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { createMemoryStore } from "../../src/stores/memory.ts";
import { ARN } from "../unit/connectors/dynamodb-streams/fake-source.ts";
import { FakeStream } from "../unit/connectors/dynamodb-streams/fake-stream.ts";
import { PLAIN_MAPPING, type StreamRun, startStreamRun } from "./stream-run.ts";

const KEYS = Array.from({ length: 24 }, (_, index) => `item-${index}`);
const PARTITIONS = 3;
const CHANGES_BEFORE = 1_200;
const CHANGES_IN_ALL = 2_400;
const CHANGES_PER_SHARD = 40;
const SPLIT_EVERY = 7;

/** A table whose shards roll over every few changes, and now and then split, whether somebody reads them or not. */
class BusyTable {
  readonly stream = new FakeStream();
  readonly parents = new Map<string, string>();
  readonly changesOf = new Map<string, string[]>();
  readonly versions = new Map<string, number>();
  readonly #shardOf = new Map<string, string>();
  changes = 0;

  constructor() {
    this.stream.nowMs = Date.now();
    const first = Array.from({ length: PARTITIONS }, () => this.stream.addShard());
    for (const [index, key] of KEYS.entries()) this.#shardOf.set(key, first[index % PARTITIONS] ?? "");
  }

  change(): void {
    const key = KEYS[(this.changes * 7) % KEYS.length] ?? "";
    const shardId = this.#shardOf.get(key) ?? "";
    const version = (this.versions.get(key) ?? 0) + 1;
    this.versions.set(key, version);
    const changes = this.changesOf.get(shardId) ?? [];
    this.changesOf.set(shardId, changes);
    changes.push(`${key}#${version}`);
    this.stream.appendItem(shardId, key, String(version));
    this.changes++;
    if (changes.length === CHANGES_PER_SHARD) this.#rollOver(shardId);
  }

  closeAll(): void {
    for (const shardId of new Set(this.#shardOf.values())) this.stream.closeShard(shardId);
  }

  #rollOver(shardId: string): void {
    const keys = KEYS.filter((key) => this.#shardOf.get(key) === shardId);
    const isSplit = this.parents.size % SPLIT_EVERY === SPLIT_EVERY - 1 && keys.length > 1;
    const children = this.stream.rollOver(shardId, isSplit ? 2 : 1);
    for (const child of children) this.parents.set(child, shardId);
    for (const [index, key] of keys.entries())
      this.#shardOf.set(key, children[index % children.length] ?? "");
  }
}

interface ChangeEvent {
  readonly Records: readonly {
    readonly dynamodb: {
      readonly NewImage: { readonly pk: { readonly S: string }; readonly data: { readonly S: string } };
    };
  }[];
}

/** Fails every thirteenth call, and looks at each record it is given before it says yes. */
function createWitness(table: BusyTable) {
  const shardOfChange = new Map<string, string>();
  const succeeded = new Set<string>();
  const lastVersion = new Map<string, number>();
  const breaches: string[] = [];
  let calls = 0;
  let repeats = 0;
  const lookUp = () => {
    for (const [shardId, changes] of table.changesOf)
      for (const change of changes) shardOfChange.set(change, shardId);
  };
  const target: FunctionTarget = {
    async invoke(payload) {
      calls++;
      for (let count = 0; count < 3 && table.changes < CHANGES_IN_ALL; count++) table.change();
      lookUp();
      const { Records } = JSON.parse(Buffer.from(payload).toString()) as ChangeEvent;
      const changes = Records.map(({ dynamodb: { NewImage } }) => ({
        key: NewImage.pk.S,
        version: Number(NewImage.data.S),
      }));
      for (const { key, version } of changes) {
        const parent = table.parents.get(shardOfChange.get(`${key}#${version}`) ?? "");
        const unsettled = (table.changesOf.get(parent ?? "") ?? []).filter(
          (change) => !succeeded.has(change),
        );
        if (unsettled.length > 0)
          breaches.push(`${key}#${version} before ${unsettled.join()} of its parent shard`);
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (calls % 13 === 0) return { kind: "functionError", errorType: "Error", message: "the thirteenth" };
      for (const { key, version } of changes) {
        const last = lastVersion.get(key) ?? 0;
        if (version <= last) repeats++;
        else if (version !== last + 1) breaches.push(`${key}: ${version} behind ${last}`);
        lastVersion.set(key, Math.max(last, version));
        succeeded.add(`${key}#${version}`);
      }
      return { kind: "succeeded", payload: Buffer.from("null") };
    },
    close: async () => {},
  };
  return { target, succeeded, breaches, repeats: () => repeats };
}

test("through many generations of shards nothing is lost, and no child starts before its parent is settled", async () => {
  const table = new BusyTable();
  while (table.changes < CHANGES_BEFORE) table.change();
  const witness = createWitness(table);
  const store = createMemoryStore();
  // Every read takes so long on the stream's clock that the next may follow at once, and iterators expire on the way.
  table.stream.onGetRecords = () => {
    table.stream.nowMs += 240;
  };
  const start = () => startRun(table.stream, witness.target, store);

  const first = start();
  await first.until("half of the changes", () => witness.succeeded.size > CHANGES_IN_ALL / 2);
  await first.stop();
  const second = start();
  await second.until("all changes", () => witness.succeeded.size === CHANGES_IN_ALL);
  table.closeAll();
  await second.until("the end of every shard", async () => {
    const rows = await store.list(PLAIN_MAPPING.uuid);
    return rows.length > 0 && rows.every((row) => row.checkpoint.ended);
  });
  await second.stop();

  assert.deepEqual(witness.breaches, []);
  assert.equal(witness.repeats(), 0, "a stop that drains repeats nothing");
  assert.ok(table.parents.size >= 50, `${table.parents.size} roll-overs`);
  for (const key of KEYS) assert.ok((table.versions.get(key) ?? 0) > 50);
});

test("after a day without reading, what retention has left is read, and shards that are gone hold nothing up", async () => {
  const stream = new FakeStream();
  stream.nowMs = Date.now();
  stream.onGetRecords = () => {
    stream.nowMs += 240;
  };
  const seen: string[] = [];
  const target: FunctionTarget = {
    async invoke(payload) {
      const { Records } = JSON.parse(Buffer.from(payload).toString()) as ChangeEvent;
      seen.push(...Records.map(({ dynamodb: { NewImage } }) => NewImage.data.S));
      return { kind: "succeeded", payload: Buffer.from("null") };
    },
    close: async () => {},
  };
  const store = createMemoryStore();
  const [gone, halfGone] = [stream.addShard(), stream.addShard()];
  stream.appendItem(gone, "a", "a1");
  stream.appendItem(halfGone, "b", "b1");
  const first = startRun(stream, target, store);
  await first.until("the first changes", () => seen.length === 2);
  await first.stop();

  stream.appendItem(gone, "a", "a2, forgotten with its shard");
  const [child = ""] = stream.rollOver(gone);
  stream.appendItem(child, "a", "a3, forgotten with its shard");
  const [grandchild = ""] = stream.rollOver(child);
  stream.appendItem(halfGone, "b", "b2, trimmed");
  stream.nowMs += 2_000;
  stream.trimBefore(stream.nowMs - 1_000);
  stream.forget(gone);
  stream.forget(child);
  stream.appendItem(halfGone, "b", "b3");
  stream.appendItem(grandchild, "a", "a4");

  const second = startRun(stream, target, store);
  await second.until("what is left", () => seen.length === 4);
  await second.stop();
  assert.deepEqual(seen.toSorted(), ["a1", "a4", "b1", "b3"]);
});

function startRun(stream: FakeStream, target: FunctionTarget, store: ProgressStore): StreamRun {
  return startStreamRun({
    source: createDynamodbSource(ARN, stream, { monotonic: () => stream.nowMs, pause: async () => {} }),
    target,
    mapping: { ...PLAIN_MAPPING, eventSourceArn: ARN.arn, batchSize: 10, parallelizationFactor: 3 },
    settings: { discoveryIntervalMs: 50, checkpointIntervalMs: 5, backoffBaseMs: 1, backoffCapMs: 5 },
    store,
  });
}
