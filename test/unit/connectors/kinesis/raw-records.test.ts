import assert from "node:assert/strict";
import { test } from "node:test";
import { readPage } from "../../../../connectors/kinesis/raw-records.ts";

const RECORD = {
  SequenceNumber: "49590338271490256608559692538361571095921575989136588898",
  PartitionKey: "order-7",
  Data: Buffer.from('{"total":7}').toString("base64"),
  ApproximateArrivalTimestamp: 1545084650.987,
};

function read(text: string) {
  const { records, ...rest } = readPage(Buffer.from(text));
  return { value: records, rest };
}

function pageOf(...records: readonly unknown[]): string {
  return JSON.stringify({ MillisBehindLatest: 0, NextShardIterator: "next", Records: records });
}

test("a page is read: its records, where the next begins, how far behind it is, and what became of its shard", () => {
  const hashKeys = { StartingHashKey: "0", EndingHashKey: "340282366920938463463374607431768211455" };
  const child = { ShardId: "shardId-1", ParentShards: ["shardId-0"], HashKeyRange: hashKeys };
  const { value, rest } = read(`${pageOf(RECORD).slice(0, -1)},"ChildShards":[${JSON.stringify(child)}]}`);
  assert.deepEqual(value, [
    {
      sequenceNumber: RECORD.SequenceNumber,
      partitionKey: "order-7",
      data: Buffer.from('{"total":7}'),
      arrivalMs: 1545084650987,
    },
  ]);
  assert.deepEqual(rest, { lagMs: 0, nextIterator: "next", childShards: [child] });
});

for (const length of [0, 1, 2, 3, 4, 1_023, 1_024, 1_025]) {
  test(`${length} bytes of every value come back as they were put`, () => {
    const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37) % 256));
    const { value } = read(pageOf({ ...RECORD, Data: bytes.toString("base64") }));
    assert.deepEqual(value[0]?.data, bytes);
  });
}

test("keys of any script come back as they were put, written out or escaped", () => {
  for (const key of ["käse", "鍵", "🔑", 'a"b\\c', "\u0000"]) {
    assert.equal(read(pageOf({ ...RECORD, PartitionKey: key })).value[0]?.partitionKey, key);
    const escaped = pageOf({ ...RECORD, PartitionKey: "KEY" }).replace(
      "KEY",
      [...Array(key.length).keys()]
        .map((at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, "0")}`)
        .join(""),
    );
    assert.equal(read(escaped).value[0]?.partitionKey, key);
  }
});

test("no records, or null in their place, is an empty page", () => {
  for (const text of ["{}", '{"Records":null}', '{"Records":[]}']) assert.deepEqual(read(text).value, []);
});

for (const [what, wrong] of [
  ["data that is no base64", { ...RECORD, Data: "not*base64" }],
  ["data that is no base64, and as long as if it were", { ...RECORD, Data: "eyJ0b3RhbCI6MXén0=" }],
  ["data that ends in the midst of its base64", { ...RECORD, Data: "QUJD=QUJD" }],
  ["data of another type", { ...RECORD, Data: 7 }],
  ["a key of another type", { ...RECORD, PartitionKey: { S: "a" } }],
  ["no sequence number", { ...RECORD, SequenceNumber: undefined }],
  ["a sequence number that would break out of its event", { ...RECORD, SequenceNumber: '1","data":"' }],
  ["a record that is null", null],
  ["a record that is a list", [RECORD]],
] as const) {
  test(`${what}: the page is refused as malformed, none of its bytes is told, and no record is made up`, () => {
    assert.throws(
      () => read(pageOf(RECORD, wrong)),
      (error: Error) => error.name === "MalformedRecord" && !/not\*base64|QUJD|order-7/.test(error.message),
    );
  });
}

test("a time of arrival that is none costs no record", () => {
  for (const time of [null, "yesterday", {}, 1e300, -1e300, [], true]) {
    const { value } = read(pageOf({ ...RECORD, ApproximateArrivalTimestamp: time }));
    assert.equal(value.length, 1);
    assert.equal(value[0]?.arrivalMs, undefined, JSON.stringify(time));
  }
});

test("members called __proto__ and constructor are members like any other", () => {
  const text = '{"__proto__":{"Records":[]},"constructor":1,"Records":[],"NextShardIterator":"next"}';
  const { value, rest } = read(text);
  assert.deepEqual(value, []);
  assert.equal(rest.nextIterator, "next");
  assert.equal(({} as { Records?: unknown }).Records, undefined);
});
