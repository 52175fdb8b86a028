import assert from "node:assert/strict";
import { test } from "node:test";
import { comparePositions } from "../../../connectors/local/position.ts";
import { keyHashOf, rowIdOf } from "../../../src/failures/failure-names.ts";
import { IndexFeed, selectionText } from "../../../src/failures/redrive-feed.ts";
import { decodeKinesisElement, splitKinesisEvent } from "../../../src/model/kinesis-event-records.ts";
import type { ItemState, Redrive, RedriveItem } from "../../../src/model/redrive.ts";
import type { FailureRow } from "../../../src/ports/failure-index.ts";
import type { ListedItem } from "../../../src/ports/parking-store.ts";
import { createMemoryFailureIndex } from "../../../src/stores/memory-failures.ts";

const MAPPING = "11111111-1111-4111-8111-111111111111";
const ALL = { itemsMax: 1_000, bytesMax: 1_000_000 };

test("records come in the order in which they were read first, key by key and shard by shard", async () => {
  const world = await feedWorld([
    failure("late", "shard-1", [7, 8]),
    failure("first", "shard-1", [1, 3]),
    failure("other", "shard-0", [20, 21]),
    failure("middle", "shard-1", [5, 6]),
  ]);
  const { items, next } = await world.feed.window(world.redrive, undefined, ALL);
  assert.equal(next, undefined);
  assert.deepEqual(items.map(placeOf), [
    "shard-1/1",
    "shard-1/3",
    "shard-1/5",
    "shard-1/6",
    "shard-1/7",
    "shard-1/8",
    "shard-0/20",
    "shard-0/21",
  ]);
  assert.deepEqual(
    items.map(dataOf),
    [1, 3, 5, 6, 7, 8, 20, 21].map((number) => `data-${number}`),
  );
  assert.ok(items.every(({ key }, at) => key === keyHashOf(`key-${[1, 3, 5, 6, 7, 8, 20, 21][at]}`)));
});

test("windows follow each other by their cursors, also in another process", async () => {
  const world = await feedWorld([failure("a", "shard-0", [1, 2, 3]), failure("b", "shard-0", [4, 5])]);
  const places: string[] = [];
  for (let cursor: string | undefined, windows = 0; windows === 0 || cursor !== undefined; windows++) {
    const window = await world.another().window(world.redrive, cursor, { ...ALL, itemsMax: 2 });
    places.push(...window.items.map(placeOf));
    cursor = window.next;
  }
  assert.deepEqual(
    places,
    [1, 2, 3, 4, 5].map((number) => `shard-0/${number}`),
  );
});

test("a record that was given up twice is redriven once", async () => {
  const world = await feedWorld([failure("a", "shard-0", [1, 2]), failure("b", "shard-0", [2, 3])]);
  const { items } = await world.feed.window(world.redrive, undefined, ALL);
  assert.deepEqual(
    items.map(placeOf),
    [1, 2, 3].map((number) => `shard-0/${number}`),
  );
});

test("what its destination does not have any more has no element", async () => {
  const world = await feedWorld([failure("a", "shard-0", [1]), failure("b", "shard-0", [2])]);
  world.kept.delete("b");
  const { items } = await world.feed.window(world.redrive, undefined, ALL);
  assert.deepEqual(
    items.map(({ element }) => element !== undefined),
    [true, false],
  );
});

test("with a key only its records are redriven, and the rest stays a failure", async () => {
  const world = await feedWorld([failure("a", "shard-0", [1, 2, 3])], keyHashOf("key-2"));
  const { items } = await world.feed.window(world.redrive, undefined, ALL);
  assert.deepEqual(items.map(placeOf), ["shard-0/2"]);
  await world.finish({ done: items });
  const rows = await world.rows();
  const rest = rows.find(({ state }) => state === "open");
  assert.equal(rows.filter(({ state }) => state === "done").length, 1);
  assert.deepEqual(
    rest?.items.map(({ position }) => Number(position)),
    [1, 3],
  );
  assert.equal(rest?.redriveId, undefined);
});

test("what fails again is a failure of its own, with its new error and its place", async () => {
  const world = await feedWorld([failure("a", "shard-0", [1, 2])]);
  const { items } = await world.feed.window(world.redrive, undefined, ALL);
  const [first, second] = items;
  assert.ok(first !== undefined && second !== undefined);
  const error = { type: "RangeError", message: "too much" };
  const told = [{ item: first, state: "failed", error } as const];
  await world.feed.ended(world.redrive, told);
  await world.feed.ended(world.redrive, told);
  await world.finish({ failed: [first], done: [second] });
  const rows = await world.rows();
  assert.deepEqual(
    rows.map(({ state }) => state),
    ["done", "open"],
  );
  const [, again] = rows;
  assert.equal(again?.error?.type, "RangeError");
  assert.deepEqual(
    again?.items.map(({ position }) => position),
    [first.position],
  );
  const next = await world.redriven(again);
  assert.deepEqual(next.map(dataOf), ["data-1"], "its record is found where it was first");
});

test("what was held back or never begun is open, what is uncertain waits for a decision", async () => {
  const world = await feedWorld([failure("a", "shard-0", [1, 2, 3]), failure("b", "shard-0", [4])]);
  const { items } = await world.feed.window(world.redrive, undefined, ALL);
  const [one, two, three] = items;
  assert.ok(one !== undefined && two !== undefined && three !== undefined);
  await world.feed.ended(world.redrive, [{ item: two, state: "uncertain", error: undefined }]);
  assert.equal((await world.rows())[0]?.state, "uncertain", "it is told at once");
  for (let time = 0; time < 2; time++) await world.finish({ done: [one], uncertain: [two], held: [three] });
  const states = (await world.rows()).map(({ state, items: own }) => [
    state,
    own.map(({ position }) => Number(position)),
  ]);
  assert.deepEqual(states.toSorted(), [
    ["done", [1, 2, 3]],
    ["open", [3]],
    ["open", [4]],
    ["uncertain", [2]],
  ]);
});

test("what its destination did not have is open as before: a file that was moved comes back", async () => {
  const world = await feedWorld([failure("a", "shard-0", [1])]);
  const { items } = await world.feed.window(world.redrive, undefined, ALL);
  await world.finish({ gone: items });
  assert.deepEqual(
    (await world.rows()).map(({ state }) => state),
    ["open"],
  );
  const again = await feedWorld([failure("b", "shard-0", [1, 2])]);
  const [one, two] = (await again.feed.window(again.redrive, undefined, ALL)).items;
  assert.ok(one !== undefined && two !== undefined);
  await again.finish({ done: [one], gone: [two] });
  assert.deepEqual(
    (await again.rows()).map(({ state, items: own }) => [state, own.length]).toSorted(),
    [
      ["done", 2],
      ["open", 1],
    ],
    "what is left of a row is a row of its own",
  );
});

interface Failed {
  readonly id: string;
  readonly shardId: string;
  readonly numbers: readonly number[];
}

function failure(id: string, shardId: string, numbers: readonly number[]): Failed {
  return { id, shardId, numbers };
}

const position = (number: number) => String(number).padStart(20, "0");

async function feedWorld(failures: readonly Failed[], keyHash?: string) {
  const index = createMemoryFailureIndex();
  const kept = new Map(failures.map(({ id, shardId, numbers }) => [id, eventOf(shardId, numbers)]));
  const rows = failures.map((each, at) => rowOf(each, at));
  await index.add(rows);
  const redrive = redriveOf("r1", keyHash);
  await index.mark(
    rows.map(({ id }) => id),
    { from: ["open"], state: "redriving", redriveId: "r1" },
  );
  let listed: Partial<Record<ItemState, readonly RedriveItem[]>> = {};
  const another = () =>
    new IndexFeed({
      index,
      clock: { now: () => 1_000, monotonic: () => 0 },
      items: async (_id, state, after) => {
        const items = listed[state] ?? [];
        return items.map((item, at) => listedItem(item, state, at + 1)).filter(({ seq }) => seq > after);
      },
      sourceOf: async () => ({
        events: { split: splitKinesisEvent, decode: decodeKinesisElement, comparePositions },
        readerOf: async () => ({
          async read(at: string) {
            const event = kept.get(at);
            return event && { document: {}, events: [event], failureId: at };
          },
          // biome-ignore lint/correctness/useYield: nothing is scanned here
          async *scan() {
            throw new Error("nobody scans");
          },
          close: async () => undefined,
        }),
      }),
    });
  const feed = another();
  return {
    feed,
    another,
    redrive,
    kept,
    rows: () => index.list({ max: 99 }),
    async finish(states: typeof listed) {
      listed = states;
      await feed.finished(redrive);
    },
    async redriven(row: FailureRow | undefined) {
      await index.mark([row?.id ?? ""], { from: ["open"], state: "redriving", redriveId: "r2" });
      return (await another().window(redriveOf("r2"), undefined, ALL)).items;
    },
  };
}

function rowOf({ id, shardId, numbers }: Failed, at: number): FailureRow {
  return {
    id: rowIdOf(id),
    mapping: MAPPING,
    condition: "RetryAttemptsExhausted",
    error: { type: "TypeError" },
    shardId,
    items: numbers.map((number) => ({ position: position(number), keyHash: keyHashOf(`key-${number}`) })),
    count: numbers.length,
    bytes: 100,
    atMs: at,
    where: { destination: "file:/failed", at: id },
    state: "open",
  };
}

function eventOf(shardId: string, numbers: readonly number[]): Buffer {
  const Records = numbers.map((number) => ({
    kinesis: {
      partitionKey: `key-${number}`,
      sequenceNumber: position(number),
      data: Buffer.from(`data-${number}`).toString("base64"),
      approximateArrivalTimestamp: 1.5,
    },
    eventID: `${shardId}:${position(number)}`,
  }));
  return Buffer.from(JSON.stringify({ Records }));
}

function redriveOf(id: string, keyHash?: string): Redrive {
  return {
    id,
    name: id,
    mapping: MAPPING,
    selection: selectionText(keyHash),
    to: { kind: "function" },
    rate: undefined,
    share: 0.25,
    delivery: "at-most-once",
    selected: 1,
    caller: "local",
    createdMs: 0,
    state: "running",
    version: 1,
    cursor: undefined,
    isLoaded: false,
    endedMs: undefined,
    isConcluded: false,
  };
}

function listedItem({ element: _, ...item }: RedriveItem, state: ItemState, seq: number): ListedItem {
  return { ...item, state, seq, requestId: undefined, error: undefined };
}

function placeOf({ shardId, position: at }: RedriveItem): string {
  return `${shardId}/${Number(at)}`;
}

function dataOf({ element }: RedriveItem): string {
  const record = JSON.parse(Buffer.from(element ?? "").toString());
  return Buffer.from(record.kinesis.data, "base64").toString();
}
