import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { deaggregate, INNER_RECORDS_MAX } from "../../../../connectors/kinesis/aggregate.ts";
import { sealAggregate, writeAggregate } from "./aggregate-writer.ts";
import { ALL_HASH_KEYS } from "./fake-kinesis.ts";

const userRecord = fc.record({
  key: fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }),
  data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

test("user records come out of an aggregate as they went in, in order", () => {
  fc.assert(
    fc.property(fc.array(userRecord, { minLength: 1, maxLength: 40 }), (records) => {
      const inner = deaggregate(writeAggregate(records), ALL_HASH_KEYS);
      assert.deepEqual(
        inner?.map(({ index, partitionKey, data }) => [index, partitionKey, data]),
        records.map(({ key, data }, index) => [index, key, data]),
      );
    }),
  );
});

test("user records whose hash key lies outside of the shard are left out; the others keep their index", () => {
  const keys = ["a", "b", "c", "d", "e", "f"];
  const hashOf = (key: string) => BigInt(`0x${hash("md5", key, "hex")}`);
  const half = { first: 0n, last: (1n << 127n) - 1n };
  const inner = deaggregate(writeAggregate(keys.map((key) => ({ key, data: Buffer.from(key) }))), half);
  const expected = keys.flatMap((key, index) => (hashOf(key) <= half.last ? [index] : []));
  assert.ok(expected.length > 0 && expected.length < keys.length);
  assert.deepEqual(
    inner?.map(({ index }) => index),
    expected,
  );
});

test("an explicit hash key decides instead of the partition key's", () => {
  const shard = { first: 100n, last: 200n };
  const aggregate = writeAggregate([
    { key: "a", data: Buffer.from("at the first"), hashKey: "100" },
    { key: "a", data: Buffer.from("at the last"), hashKey: "200" },
    { key: "a", data: Buffer.from("outside"), hashKey: "201" },
  ]);
  assert.deepEqual(
    deaggregate(aggregate, shard)?.map(({ data }) => data.toString()),
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
  test(`${what} is no aggregate: the record is delivered as it is`, () => {
    assert.equal(deaggregate(data, ALL_HASH_KEYS), undefined);
  });
}

test("whatever a producer seals never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      deaggregate(sealAggregate(Buffer.from(bytes)), ALL_HASH_KEYS);
    }),
    { numRuns: 2_000 },
  );
});

test("an aggregate that claims too many records is not taken apart", () => {
  const element = Buffer.from("1a0408001a00", "hex");
  const key = Buffer.from("0a0161", "hex");
  const aggregateOf = (count: number) =>
    sealAggregate(Buffer.concat([key, Buffer.alloc(count * element.length, element)]));
  assert.equal(deaggregate(aggregateOf(INNER_RECORDS_MAX), ALL_HASH_KEYS)?.length, INNER_RECORDS_MAX);
  assert.equal(deaggregate(aggregateOf(INNER_RECORDS_MAX + 1), ALL_HASH_KEYS), undefined);
});
