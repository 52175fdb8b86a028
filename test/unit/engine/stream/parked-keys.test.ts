import assert from "node:assert/strict";
import { test } from "node:test";
import type { BufferedRecord } from "../../../../src/engine/stream/buffered-record.ts";
import { takeOfKey } from "../../../../src/engine/stream/exhausted-batch.ts";
import { HeldKey } from "../../../../src/engine/stream/held-key.ts";
import { ParkingGuard } from "../../../../src/engine/stream/parking-guard.ts";
import { newSegment, type Segment } from "../../../../src/engine/stream/segment.ts";
import type { ParkedKey } from "../../../../src/model/parked-key.ts";

test("three keys are parked without a success between them, and any number with", () => {
  const guard = new ParkingGuard();
  for (let park = 1; park <= 3; park++) {
    assert.equal(guard.isShut, false);
    guard.parked();
  }
  assert.equal(guard.isShut, true);
  guard.succeeded();
  assert.equal(guard.isShut, false);
});

test("followers are taken out of all later parts of a batch, in the order of their coming", () => {
  const stack = [segmentOf("a7", "b8"), segmentOf("b5", "c6"), segmentOf("a3", "a4")];
  const taken = takeOfKey(stack, "a", (segment, records) => ({ ...segment, records, requestId: "anew" }));
  assert.deepEqual(names(taken), ["a3", "a4", "a7"]);
  assert.deepEqual(
    stack.map(({ records, requestId }) => [requestId, ...names(records)]),
    [
      ["anew", "b8"],
      ["b5", "b5", "c6"],
    ],
  );
});

test("what a call without an answer has put is found behind what its key says, and not put twice", () => {
  const held = new HeldKey(parkedKey(1, "2"), "shard-1", (a, b) => Number(a) - Number(b));
  for (const name of ["a3", "a4", "a5"]) held.push(waiting(name));
  assert.deepEqual(names(held.sees(parkedKey(2, "4"), "shard-1")), ["a3", "a4"]);
  assert.deepEqual(names(held.waiting.map(({ buffered }) => buffered)), ["a5"]);
  assert.equal(held.tailVersion, 2);
});

test("what is parked of another log says nothing of this one", () => {
  const held = new HeldKey(parkedKey(1, "9"), "shard-1 made anew", (a, b) => Number(a) - Number(b));
  assert.equal(held.has("3"), false);
  held.push(waiting("a3"));
  assert.deepEqual(names(held.sees(parkedKey(2, "9"), "shard-1 made anew")), []);
});

test("a record is read again when it is at or before the last that was parked", () => {
  const held = new HeldKey(parkedKey(1, "2"), "shard-1", (a, b) => Number(a) - Number(b));
  assert.deepEqual([held.has("2"), held.has("3")], [true, false]);
  held.push(waiting("a3"));
  held.put(1, parkedKey(2, "3"));
  assert.deepEqual([held.has("3"), held.has("4")], [true, false]);
});

/** `a3`: of the key `a`, at position 3. */
function buffered(name: string): BufferedRecord {
  return {
    record: {
      position: name.slice(1),
      key: name.slice(0, 1),
      arrivalMs: undefined,
      bytes: 1,
      encodedBytes: 1,
    },
    ordinal: Number(name.slice(1)),
    read: { monotonicMs: 0, wallMs: 0, answeredMs: undefined, logId: undefined },
  };
}

function names(records: readonly BufferedRecord[]): readonly string[] {
  return records.map(({ record }) => `${record.key}${record.position}`);
}

function segmentOf(...all: readonly string[]): Segment {
  const place = { depth: 0, windowEnd: "no", triedFromMs: undefined } as const;
  return newSegment(all.map(buffered), all[0] ?? "", place);
}

function waiting(name: string) {
  const { position, arrivalMs } = buffered(name).record;
  const element = new Uint8Array(1);
  const entry = { shardId: "shard-1", position, itemId: name, arrivalMs, element, trace: undefined };
  return { buffered: buffered(name), entry };
}

function parkedKey(tailVersion: number, last: string): ParkedKey {
  return {
    id: "id",
    key: "a",
    state: { kind: "parked" },
    version: 1,
    tailVersion,
    records: 1,
    bytes: 1,
    last: { "shard-1": last },
    cause: { condition: "RetryAttemptsExhausted", error: undefined, shardId: "shard-1", position: "1" },
    parkedMs: 0,
  };
}
