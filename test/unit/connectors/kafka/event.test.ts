import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createKafkaEvents } from "../../../../connectors/kafka/event.ts";
import { kafkaPipeRecords } from "../../../../connectors/kafka/event-records.ts";
import { createKafkaPartition } from "../../../../connectors/kafka/record.ts";
import { PARTITION, READ_MS, recordOf } from "./sample-messages.ts";

const ARN =
  "arn:aws:kafka:sa-east-1:123456789012:cluster/vpc-2priv-2pub/751d2973-a626-431c-9d4e-d7975eb44dd7-2";
const SERVERS = ["b-2.demo:9092", "b-1.demo:9092"];
const MSK = createKafkaEvents({ eventSourceArn: ARN, bootstrapServers: SERVERS });
const SELF_MANAGED = createKafkaEvents({ eventSourceArn: undefined, bootstrapServers: SERVERS });

const textOf = (event: Uint8Array) => Buffer.from(event).toString();

test("writes AWS's event of an MSK cluster, members in its order", () => {
  assert.equal(
    textOf(MSK.encode([recordOf()], undefined)),
    `{"eventSource":"aws:kafka","eventSourceArn":"${ARN}","bootstrapServers":"b-2.demo:9092,b-1.demo:9092",` +
      '"records":{"mytopic-0":[{"topic":"mytopic","partition":0,"offset":15,"timestamp":1545084650987,' +
      '"timestampType":"CREATE_TIME","key":"abcDEFghiJKLmnoPQRstuVWXyz123w==",' +
      '"value":"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",' +
      '"headers":[{"headerKey":[104,101,97,100,101,114,86,97,108,117,101]}]}]}}',
  );
});

test("an event of a self-managed cluster has no ARN", () => {
  const event = JSON.parse(textOf(SELF_MANAGED.encode([recordOf()], undefined)));
  assert.deepEqual(Object.keys(event), ["eventSource", "bootstrapServers", "records"]);
  assert.equal(event.eventSource, "SelfManagedKafka");
});

test("leaves out a missing key and a tombstone's value, and keeps empty ones", () => {
  const element = (record: ReturnType<typeof recordOf>) =>
    JSON.parse(textOf(MSK.encode([record], undefined))).records["mytopic-0"][0];
  const bare = element(recordOf({ key: null, value: null, headers: [] }));
  assert.deepEqual(Object.keys(bare), [
    "topic",
    "partition",
    "offset",
    "timestamp",
    "timestampType",
    "headers",
  ]);
  assert.deepEqual(bare.headers, []);
  const empty = element(recordOf({ key: Buffer.alloc(0), value: Buffer.alloc(0) }));
  assert.equal(empty.key, "");
  assert.equal(empty.value, "");
});

test("header bytes are signed, keys may come twice, and a header without a value is empty", () => {
  const record = recordOf({
    headers: [
      { key: "a", value: Buffer.of(0, 127, 128, 255) },
      { key: "a", value: null },
      { key: 'schlüssel "漢字"', value: Buffer.alloc(0) },
    ],
  });
  const event = JSON.parse(textOf(MSK.encode([record], undefined)));
  assert.deepEqual(event.records["mytopic-0"][0].headers, [
    { a: [0, 127, -128, -1] },
    { a: [] },
    { 'schlüssel "漢字"': [] },
  ]);
});

test("a record without a timestamp counts as arrived when it was read", () => {
  const record = recordOf({ timestampMs: -1, timestampType: "NO_TIMESTAMP_TYPE" });
  assert.equal(record.arrivalMs, READ_MS);
  const event = JSON.parse(textOf(MSK.encode([record], undefined)));
  assert.equal(event.records["mytopic-0"][0].timestamp, -1);
});

test("keys that differ in any byte are different lanes' keys; no key is none", () => {
  assert.notEqual(recordOf({ key: Buffer.of(0xff) }).key, recordOf({ key: Buffer.of(0xfe) }).key);
  assert.equal(recordOf({ key: Buffer.alloc(0) }).key, "");
  assert.equal(recordOf({ key: null }).key, undefined);
});

test("an event has exactly the announced bytes, whatever the records and the partition", () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data));
  const message = fc.record({
    offset: fc.maxSafeNat(),
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(fc.record({ key: fc.string({ unit: "binary" }), value: fc.option(bytes) }), {
      maxLength: 3,
    }),
    timestampMs: fc.integer({ min: -1, max: 9_000_000_000_000 }),
    timestampType: fc.constantFrom("CREATE_TIME" as const, "LOG_APPEND_TIME" as const),
  });
  const property = fc.property(
    fc.nat({ max: 100_000 }),
    fc.array(message, { minLength: 1, maxLength: 5 }),
    (number, messages) => {
      const partition = createKafkaPartition("my.topic_1", number);
      const records = messages.map((each) => recordOf(each, partition));
      for (const events of [MSK, SELF_MANAGED]) {
        const event = events.encode(records, undefined);
        const announced = records.reduce((sum, record) => sum + record.encodedBytes, records.length - 1);
        assert.equal(event.length, events.envelopeBytes(partition.shardId) + announced);
        const elements = JSON.parse(textOf(event)).records[partition.shardId];
        assert.deepEqual(
          elements.map((element: { offset: number; key?: string; value?: string }) => [
            element.offset,
            element.key,
            element.value,
          ]),
          messages.map(({ offset, key, value }) => [
            offset,
            key?.toString("base64"),
            value?.toString("base64"),
          ]),
        );
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("reads an identifier of a partial response only when it names an offset of the partition", () => {
  const read = (value: unknown) => MSK.readItemIdentifier?.(value, PARTITION.shardId);
  assert.equal(read({ partition: "mytopic-0", offset: 100 }), "100");
  assert.equal(read({ offset: 0, partition: "mytopic-0", other: 1 }), "0");
  assert.equal(read({ partition: "mytopic-0", offset: 9_007_199_254_740_993n }), "9007199254740993");
  const strangers: unknown[] = [
    undefined,
    null,
    "100",
    100,
    [],
    ["mytopic-0", 100],
    {},
    { partition: "mytopic-0" },
    { offset: 100 },
    { partition: "mytopic-1", offset: 100 },
    { partition: 0, offset: 100 },
    { partition: "mytopic-0", offset: "100" },
    { partition: "mytopic-0", offset: -1 },
    { partition: "mytopic-0", offset: 1.5 },
    { partition: "mytopic-0", offset: Number.POSITIVE_INFINITY },
    { partition: "mytopic-0", offset: null },
    JSON.parse('{"__proto__":{"partition":"mytopic-0","offset":100}}'),
  ];
  for (const stranger of strangers) assert.equal(read(stranger), undefined, JSON.stringify(stranger));
});

test("a record of a mapping with an enrichment stands alone, with what the event says of all", () => {
  const [record = ""] = kafkaPipeRecords.split(MSK.encode([recordOf()], undefined)) ?? [];
  assert.equal(
    record,
    `{"eventSource":"aws:kafka","eventSourceArn":"${ARN}","bootstrapServers":"b-2.demo:9092,b-1.demo:9092",` +
      '"eventSourceKey":"mytopic-0","topic":"mytopic","partition":0,"offset":15,"timestamp":1545084650987,' +
      '"timestampType":"CREATE_TIME","key":"abcDEFghiJKLmnoPQRstuVWXyz123w==",' +
      '"value":"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",' +
      '"headers":[{"headerKey":[104,101,97,100,101,114,86,97,108,117,101]}]}',
  );
});
