import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  FIELDS_MAX,
  INNER_RECORDS_MAX,
  type InnerRecord,
  openAggregate,
  PARTITION_KEY_BYTES_MAX,
} from "../../../../connectors/kinesis/aggregate.ts";
import type { HashKeyRange } from "../../../../connectors/kinesis/kinesis-api.ts";
import { STEP_BYTES_MAX, STEP_ITEMS_MAX, turn } from "../../../../src/lib/steps.ts";
import { sealAggregate, writeAggregate } from "./aggregate-writer.ts";
import { ALL_HASH_KEYS } from "./fake-kinesis.ts";

/** All user records of an aggregate; `undefined`: it is delivered as it is. */
async function deaggregate(data: Buffer, shard: HashKeyRange): Promise<readonly InnerRecord[] | undefined> {
  const aggregate = await openAggregate(data, shard);
  return (
    aggregate &&
    Array.from({ length: aggregate.length }, (_, place) => aggregate.at(place)).flatMap((each) => each ?? [])
  );
}

const userRecord = fc.record({
  key: fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }),
  data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

test("user records come out of an aggregate as they went in, in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(userRecord, { minLength: 1, maxLength: 40 }), async (records) => {
      const inner = await deaggregate(writeAggregate(records), ALL_HASH_KEYS);
      assert.deepEqual(
        inner?.map(({ index, partitionKey, data }) => [index, partitionKey, data]),
        records.map(({ key, data }, index) => [index, key, data]),
      );
    }),
  );
});

test("user records whose hash key lies outside of the shard are left out; the others keep their index", async () => {
  const keys = ["a", "b", "c", "d", "e", "f"];
  const hashOf = (key: string) => BigInt(`0x${hash("md5", key, "hex")}`);
  const half = { first: 0n, last: (1n << 127n) - 1n };
  const inner = await deaggregate(writeAggregate(keys.map((key) => ({ key, data: Buffer.from(key) }))), half);
  const expected = keys.flatMap((key, index) => (hashOf(key) <= half.last ? [index] : []));
  assert.ok(expected.length > 0 && expected.length < keys.length);
  assert.deepEqual(
    inner?.map(({ index }) => index),
    expected,
  );
});

test("an explicit hash key decides instead of the partition key's", async () => {
  const shard = { first: 100n, last: 200n };
  const aggregate = writeAggregate([
    { key: "a", data: Buffer.from("at the first"), hashKey: "100" },
    { key: "a", data: Buffer.from("at the last"), hashKey: "200" },
    { key: "a", data: Buffer.from("outside"), hashKey: "201" },
  ]);
  assert.deepEqual(
    (await deaggregate(aggregate, shard))?.map(({ data }) => data.toString()),
    ["at the first", "at the last"],
  );
});

const WHOLE = writeAggregate([
  { key: "a", data: Buffer.from("first") },
  { key: "b", data: Buffer.from("second"), hashKey: "7" },
]);

for (const [what, data] of [
  ["plain data", Buffer.from('{"order":1}')],
  ["empty data", Buffer.alloc(0)],
  ["the magic alone", Buffer.from("f3899ac2", "hex")],
  ["a changed byte", Buffer.from(WHOLE.map((byte, index) => (index === 9 ? byte ^ 1 : byte)))],
  ["a missing end", WHOLE.subarray(0, WHOLE.length - 1)],
  ["an index without a key", sealAggregate(Buffer.from("1a0408051a00", "hex"))],
  ["a record without data", sealAggregate(Buffer.from("0a01611a020800", "hex"))],
  ["a length beyond the end", sealAggregate(Buffer.from("1aff7f", "hex"))],
  ["a number without end", sealAggregate(Buffer.from("08ffffffffffffffffffffff", "hex"))],
  ["a hash key that is no number", sealAggregate(Buffer.from("1202787a", "hex"))],
  ["an unknown wire type", sealAggregate(Buffer.from("0b", "hex"))],
] as const) {
  test(`${what} is no aggregate: the record is delivered as it is`, async () => {
    assert.equal(await deaggregate(data, ALL_HASH_KEYS), undefined);
  });
}

test("whatever a producer seals never throws", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await deaggregate(sealAggregate(Buffer.from(bytes)), ALL_HASH_KEYS);
    }),
    { numRuns: 2_000 },
  );
});

const KEY = Buffer.from("0a0161", "hex");
/** A record of the first key without data: the smallest that there is. */
const ELEMENT = Buffer.from("1a0408001a00", "hex");

function longField(number: number, bytes: Buffer): Buffer {
  const length = bytes.length;
  const varint = [(length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14];
  return Buffer.concat([Buffer.from([number * 8 + 2, ...varint]), bytes]);
}

const MANY = (part: Buffer, count: number) => Buffer.alloc(count * part.length, part);

// A few bytes that would take gigabytes or seconds: each is delivered as it is.
for (const [what, message] of [
  ["more records than are taken apart", [KEY, MANY(ELEMENT, INNER_RECORDS_MAX + 1)]],
  ["a key that no stream takes", [longField(1, Buffer.alloc(300_000, "k")), MANY(ELEMENT, 60_000)]],
  [
    "a key just above Kinesis's bound",
    [longField(1, Buffer.alloc(PARTITION_KEY_BYTES_MAX + 1, "k")), ELEMENT],
  ],
  ["a hash key of many digits", [KEY, longField(2, Buffer.alloc(500_000, "7")), ELEMENT]],
  ["a million empty keys", [MANY(Buffer.from("0a00", "hex"), 1_000_000), ELEMENT]],
  ["fields that nobody knows", [KEY, MANY(Buffer.from("2800", "hex"), FIELDS_MAX), ELEMENT]],
  ["a record of fields that nobody knows", [KEY, longField(3, MANY(Buffer.from("2800", "hex"), FIELDS_MAX))]],
] as const) {
  test(`an aggregate with ${what} is delivered as it is`, async () => {
    const isWhole = (await openAggregate(sealAggregate(Buffer.concat(message)), ALL_HASH_KEYS)) === undefined;
    assert.ok(isWhole, "it was taken apart");
  });
}

test("the largest aggregate that is taken apart is, in steps that others can go between", async (t) => {
  let largest = { bytes: 0, items: 0 };
  t.after(
    turn.watch((bytes, items) => {
      largest = { bytes: Math.max(largest.bytes, bytes), items: Math.max(largest.items, items) };
    }),
  );
  const key = longField(1, Buffer.alloc(PARTITION_KEY_BYTES_MAX, "k"));
  const filled = longField(3, Buffer.concat([Buffer.from("08001a", "hex"), Buffer.from("00", "hex")]));
  const message = Buffer.concat([MANY(key, 500), MANY(ELEMENT, INNER_RECORDS_MAX - 1), filled]);
  assert.equal((await deaggregate(sealAggregate(message), ALL_HASH_KEYS))?.length, INNER_RECORDS_MAX);
  // The last step is seen when its turn is over.
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(largest.items > 0 && largest.items <= STEP_ITEMS_MAX, `${largest.items} items in one step`);
  assert.ok(largest.bytes > 0 && largest.bytes <= STEP_BYTES_MAX, `${largest.bytes} bytes in one step`);
});
