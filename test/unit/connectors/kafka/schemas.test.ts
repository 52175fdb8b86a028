import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import avsc from "avsc";
import protobuf from "protobufjs";
import { createKafkaEvents } from "../../../../connectors/kafka/event.ts";
import { kafkaFilterDocument } from "../../../../connectors/kafka/filter.ts";
import {
  createKafkaPartition,
  createKafkaRecord,
  type KafkaRecord,
} from "../../../../connectors/kafka/record.ts";
import type { RegistrySchema } from "../../../../connectors/kafka/registry-schema.ts";
import { SchemaBook } from "../../../../connectors/kafka/schema-book.ts";
import { openSchemas } from "../../../../connectors/kafka/schema-config.ts";
import { type RecordSchemas, SchemaReader } from "../../../../connectors/kafka/schema-reader.ts";
import { createGlueRegistry, type SchemaRegistry } from "../../../../connectors/kafka/schema-registry.ts";
import type { SchemaSettings } from "../../../../connectors/kafka/settings.ts";
import { RotatingCredentials } from "../../../../src/aws/credentials.ts";
import type { ShardRead, ShardReader } from "../../../../src/ports/stream-source.ts";
import { NO_ABORT } from "../../../contract/stream-source-harness.ts";
import { type FakeRegistry, startFakeRegistry } from "./fake-registry.ts";

const PARTITION = createKafkaPartition("orders", 0);

function record(offset: number, value: Buffer | null, key: Buffer | null = null): KafkaRecord {
  const times = { timestampMs: 5, timestampType: "CREATE_TIME" } as const;
  return createKafkaRecord(PARTITION, { offset, key, value, headers: [], ...times }, 5);
}

function framed(id: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, data]);
}

/** Gives these reads, one after another. */
function readerOf(...reads: readonly (readonly KafkaRecord[])[]): ShardReader {
  const rest = [...reads];
  return {
    async read(): Promise<ShardRead> {
      const records = rest.shift() ?? [];
      return { records, endOfShard: false, lagMs: 0, readAgainAfterMs: 0, trimmed: false, lookedTo: "99" };
    },
    async close() {},
  };
}

async function schemasOf(registry: FakeRegistry, more: Partial<SchemaSettings> = {}): Promise<RecordSchemas> {
  const settings: SchemaSettings = {
    registryUri: registry.url,
    format: "JSON",
    attributes: ["VALUE"],
    access: [{ type: "BASIC_AUTH", uri: "env:LOGIN" }],
    ...more,
  };
  return await openSchemas(settings, undefined, { LOGIN: '{"username":"me","password":"pass"}' });
}

async function readOne(schemas: RecordSchemas, value: Buffer | null, key?: Buffer): Promise<KafkaRecord> {
  const { records } = await new SchemaReader(readerOf([record(7, value, key)]), schemas).read(
    9,
    1e6,
    NO_ABORT,
  );
  return records[0] as KafkaRecord;
}

const events = createKafkaEvents({ eventSourceArn: undefined, bootstrapServers: ["b:9093"] });

function elementOf(decoded: KafkaRecord): Readonly<Record<string, unknown>> {
  const element = events.element(decoded);
  assert.equal(element.length, decoded.encodedBytes, "the size of an element is exact");
  return JSON.parse(Buffer.from(element).toString());
}

const decodedValue = (decoded: KafkaRecord) =>
  Buffer.from(String(elementOf(decoded)["value"]), "base64").toString();

const ORDER = {
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "id", type: "long" },
    { name: "note", type: ["null", "string"], default: null },
    { name: "raw", type: "bytes" },
    { name: "tags", type: { type: "map", values: "double" } },
  ],
};

test("Avro: the event has JSON of the value, with what the registry says of its schema, asked once", async () => {
  await using registry = await startFakeRegistry();
  registry.schemas.set("42", { schema: JSON.stringify(ORDER) });
  const long = avsc.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer(value: bigint) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    },
    ...{ fromJSON: BigInt, toJSON: Number, isValid: (v: unknown) => typeof v === "bigint", compare: () => 0 },
  });
  const type = avsc.Type.forSchema(ORDER as never, { registry: { long } as never });
  const data = type.toBuffer({
    id: 9007199254740993n,
    note: "hi",
    raw: Buffer.from([0xff, 0x41]),
    tags: { a: 1.5 },
  });
  const schemas = await schemasOf(registry);
  const key = Buffer.from("k");
  const decoded = await readOne(schemas, framed(42, data), key);
  await readOne(schemas, framed(42, data), key);
  assert.equal(decodedValue(decoded), '{"id":9007199254740993,"note":"hi","raw":"ÿA","tags":{"a":1.5}}');
  const { value: _, ...rest } = elementOf(decoded);
  assert.deepEqual(rest, {
    ...{ topic: "orders", partition: 0, offset: 7, timestamp: 5, timestampType: "CREATE_TIME" },
    ...{ key: "aw==", valueSchemaMetadata: { dataFormat: "AVRO", schemaId: "42" }, headers: [] },
  });
  const { document, isDataJson } = kafkaFilterDocument(decoded);
  assert.equal(isDataJson, true);
  assert.equal(Reflect.get(Reflect.get(document as object, "value"), "note"), "hi");
  assert.deepEqual(registry.asked, ["/schemas/ids/42"]);
});

test("SOURCE: the event has what was written without the frame, and patterns see what was read", async () => {
  await using registry = await startFakeRegistry();
  registry.schemas.set("1", { schema: '"string"' });
  const schemas = await schemasOf(registry, { format: "SOURCE", attributes: ["KEY", "VALUE"] });
  const data = avsc.Type.forSchema("string").toBuffer("hello");
  const decoded = await readOne(schemas, framed(1, data), framed(1, data));
  assert.deepEqual(Buffer.from(String(elementOf(decoded)["value"]), "base64"), data);
  assert.deepEqual(elementOf(decoded)["keySchemaMetadata"], { dataFormat: "AVRO", schemaId: "1" });
  assert.equal(
    decoded.key,
    framed(1, data).toString("latin1"),
    "the order stays that of the key as it was written",
  );
  const { document } = kafkaFilterDocument(decoded);
  assert.deepEqual(
    [Reflect.get(document as object, "value"), Reflect.get(document as object, "key")],
    ['"hello"', '"hello"'],
  );
});

const PROTO = `syntax = "proto3"; package shop; import "other.proto"; import "google/protobuf/timestamp.proto";
message Unused { string x = 1; }
message Order { message Line { int64 big_number = 1; Kind kind = 2; map<string, int32> counts = 3; shop.other.Note note = 4; google.protobuf.Timestamp at = 5; }
  enum Kind { NONE = 0; GOOD = 1; } bytes raw = 1; }`;
const OTHER = `syntax = "proto3"; package shop.other; message Note { string text = 1; }`;
const LINE = {
  bigNumber: "9007199254740993",
  kind: "GOOD",
  counts: { a: 3 },
  note: { text: "n" },
  at: "2026-11-30T18:00:00Z",
};

function protoLine(): Uint8Array {
  const root = new protobuf.Root();
  protobuf.parse(OTHER, root);
  protobuf.parse(PROTO, root);
  root.addJSON(protobuf.common.get("google/protobuf/timestamp.proto")?.nested ?? {});
  const type = root.lookupType("shop.Order.Line");
  const at = { seconds: Date.parse(LINE.at) / 1000 };
  return type.encode(type.fromObject({ ...LINE, at })).finish();
}

test("Protobuf: the message that the index names is read, with what its file imports", async () => {
  await using registry = await startFakeRegistry();
  const references = [{ name: "other.proto", subject: "o/1", version: 3 }];
  registry.schemas.set("5", { schema: PROTO, schemaType: "PROTOBUF", references });
  registry.versions.set("/subjects/o/1/versions/3", { schema: OTHER, schemaType: "PROTOBUF" });
  const schemas = await schemasOf(registry);
  // Two indexes: the second message, and the first within it.
  const decoded = await readOne(schemas, framed(5, Buffer.concat([Buffer.from([4, 2, 0]), protoLine()])));
  assert.deepEqual(JSON.parse(decodedValue(decoded)), LINE);
  assert.deepEqual(elementOf(decoded)["valueSchemaMetadata"], { dataFormat: "PROTOBUF", schemaId: "5" });
  const first = await readOne(schemas, framed(5, Buffer.from([0, 0x0a, 1, 0x78])));
  assert.equal(decodedValue(first), '{"x":"x"}');
  const beyond = await readOne(schemas, framed(5, Buffer.from([4, 2, 8])));
  assert.match(beyond.damage ?? "", /message that its schema has not/);
});

test("JSON Schema: what fits is handed on as it stands there, and what does not is given up", async () => {
  await using registry = await startFakeRegistry();
  for (const [id, dialect] of [
    ["1", "http://json-schema.org/draft-07/schema#"],
    ["2", "https://json-schema.org/draft/2020-12/schema"],
  ] as const) {
    const schema = {
      $schema: dialect,
      type: "object",
      required: ["id"],
      properties: { id: { type: "integer" } },
    };
    registry.schemas.set(id, { schema: JSON.stringify(schema), schemaType: "JSON" });
  }
  const schemas = await schemasOf(registry);
  for (const id of [1, 2]) {
    const text = '{ "id": 12345678901234567890 }';
    assert.equal(decodedValue(await readOne(schemas, framed(id, Buffer.from(text)))), text);
    const bad = await readOne(schemas, framed(id, Buffer.from('{"id":"canary"}')));
    assert.match(bad.damage ?? "", /value cannot be read: it does not fit its JSON Schema$/);
    assert.match((await readOne(schemas, framed(id, Buffer.from("{")))).damage ?? "", /not of its schema/);
  }
});

const GLUE_ID = "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63";
const GLUE_ARN = "arn:aws:glue:eu-west-1:123456789012:registry/own";

function glueFramed(data: Uint8Array, isPacked = false): Buffer {
  const head = Buffer.concat([
    Buffer.from([3, isPacked ? 5 : 0]),
    Buffer.from(GLUE_ID.replaceAll("-", ""), "hex"),
  ]);
  return Buffer.concat([head, isPacked ? deflateSync(data) : data]);
}

function glueSchemas(registry: FakeRegistry): RecordSchemas {
  const credentials = new RotatingCredentials(async () => ({ accessKeyId: "AKID", secretAccessKey: "s" }));
  const glue = createGlueRegistry({ arn: GLUE_ARN, credentials, endpoint: `${registry.url}/` });
  return { book: new SchemaBook(glue), format: "JSON", attributes: ["VALUE"] };
}

test("AWS Glue: its frame, its compression and its index of messages are read", async () => {
  await using registry = await startFakeRegistry();
  const SchemaArn = "arn:aws:glue:eu-west-1:123456789012:schema/own/orders";
  registry.schemas.set(GLUE_ID, { SchemaArn, DataFormat: "AVRO", SchemaDefinition: '"string"' });
  const data = avsc.Type.forSchema("string").toBuffer("hello");
  for (const isPacked of [false, true]) {
    const decoded = await readOne(glueSchemas(registry), glueFramed(data, isPacked));
    assert.equal(decodedValue(decoded), '"hello"');
    assert.deepEqual(elementOf(decoded)["valueSchemaMetadata"], { dataFormat: "AVRO", schemaId: GLUE_ID });
  }
  const definition =
    'syntax="proto3"; package p; message B { message C { string c = 1; } message A { message D { string d = 1; } map<string,string> my_map = 2; } }';
  registry.schemas.set(GLUE_ID, { SchemaArn, DataFormat: "PROTOBUF", SchemaDefinition: definition });
  // B, B.A, B.A.D, B.A.MyMapEntry, B.C by their names, as AWS's serializer counts them.
  const decoded = await readOne(glueSchemas(registry), glueFramed(Buffer.from([4, 0x0a, 1, 0x78])));
  assert.equal(decodedValue(decoded), '{"c":"x"}');
  registry.schemas.set(GLUE_ID, {
    SchemaArn: SchemaArn.replace("/own/", "/other/"),
    DataFormat: "AVRO",
    SchemaDefinition: '"string"',
  });
  await assert.rejects(readOne(glueSchemas(registry), glueFramed(data)), /has no schema b7b4/);
});

test("a tombstone has no schema, and data without a frame is given up alone", async () => {
  await using registry = await startFakeRegistry();
  registry.schemas.set("1", { schema: '"string"' });
  const schemas = await schemasOf(registry);
  assert.deepEqual(Object.keys(elementOf(await readOne(schemas, null))).at(-1), "headers");
  const data = framed(1, avsc.Type.forSchema("string").toBuffer("a"));
  const reader = new SchemaReader(
    readerOf([record(1, data), record(2, Buffer.from("plain")), record(3, data)]),
    schemas,
  );
  const { records } = await reader.read(10, 1e6, NO_ABORT);
  assert.deepEqual(
    records.map(({ damage }) => damage?.slice(0, 36)),
    [undefined, "its value cannot be read: it does no", undefined],
  );
});

test("while the registry does not answer, records wait in their order and none is passed over", async () => {
  await using registry = await startFakeRegistry();
  registry.schemas.set("1", { schema: '"string"' }).set("2", { schema: '"string"' });
  const schemas = await schemasOf(registry);
  const data = avsc.Type.forSchema("string").toBuffer("a");
  const reader = new SchemaReader(
    readerOf([record(1, framed(1, data)), record(2, framed(2, data)), record(3, framed(1, data))]),
    schemas,
  );
  registry.faults.push(
    { status: 503, body: "" },
    { status: 403, body: "me:pass" },
    { status: 200, body: "<html>" },
  );
  for (const expected of [
    /no answer \(HTTP 503\).*none is lost/,
    /refused the call \(HTTP 403\)/,
    /no answer \(no JSON\)/,
  ])
    await assert.rejects(
      reader.read(10, 1e6, NO_ABORT),
      (error) => expected.test(String(error)) && !String(error).includes("pass"),
    );
  registry.schemas.delete("2");
  const first = await reader.read(10, 1e6, NO_ABORT);
  assert.deepEqual(
    first.records.map(({ position }) => position),
    ["1"],
  );
  assert.equal(first.lookedTo, undefined, "progress is not told of what waits");
  await assert.rejects(reader.read(10, 1e6, NO_ABORT), /has no schema 2/);
  registry.schemas.set("2", { schema: '"string"' });
  const rest = await reader.read(10, 1e6, NO_ABORT);
  assert.deepEqual(
    rest.records.map(({ position }) => position),
    ["2", "3"],
  );
  assert.deepEqual([rest.lookedTo, rest.records.some(({ damage }) => damage !== undefined)], ["99", false]);
});

test("a schema that the registry says twice that it has not gives its records up, and is asked for again later", async () => {
  await using registry = await startFakeRegistry();
  let nowMs = 0;
  const { book: _, ...rest } = await schemasOf(registry);
  const found: RegistrySchema = { dataFormat: "AVRO", text: '"string"', references: [] };
  const registryOf: SchemaRegistry = {
    kind: "confluent",
    schema: async (id) => (registry.schemas.has(id) ? found : undefined),
  };
  const schemas = { ...rest, book: new SchemaBook(registryOf, () => nowMs) };
  const data = framed(9, avsc.Type.forSchema("string").toBuffer("a"));
  await assert.rejects(readOne(schemas, data), /no schema 9/);
  nowMs = 9_000;
  await assert.rejects(readOne(schemas, data), /no schema 9/);
  nowMs = 10_000;
  assert.match((await readOne(schemas, data)).damage ?? "", /the schema registry has no schema 9/);
  registry.schemas.set("9", {});
  nowMs = 80_000;
  assert.equal((await readOne(schemas, data)).damage, undefined);
});

const bombs: readonly (readonly [string, Readonly<Record<string, unknown>>, Buffer, RegExp])[] = [
  [
    "a billion items of no bytes",
    { schema: '{"type":"array","items":"null"}' },
    Buffer.from([0x80, 0xa8, 0xd6, 0xb9, 0x07, 0]),
    /take no bytes/,
  ],
  [
    "a billion records of no fields",
    { schema: '{"type":"array","items":{"type":"record","name":"E","fields":[{"name":"n","type":"null"}]}}' },
    Buffer.from([0x80, 0xa8, 0xd6, 0xb9, 0x07, 0]),
    /take no bytes/,
  ],
  [
    "a record that holds itself, as deep as its data",
    { schema: '{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}' },
    Buffer.alloc(500_000, 2),
    /not of its schema/,
  ],
  [
    "a length that its data has not",
    { schema: '"bytes"' },
    Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]),
    /not of its schema/,
  ],
  [
    "a name that would change objects",
    { schema: '{"type":"record","name":"R","fields":[{"name":"__proto__","type":"int"}]}' },
    Buffer.from([2]),
    /__proto__/,
  ],
  [
    "a name that is code",
    { schema: '{"type":"record","name":"R(){};process.exit();//","fields":[]}' },
    Buffer.alloc(0),
    /schema cannot be read/,
  ],
  [
    "long names around little data",
    {
      schema: JSON.stringify({
        type: "array",
        items: { type: "record", name: "R", fields: [{ name: "x".repeat(100_000), type: "boolean" }] },
      }),
    },
    Buffer.concat([Buffer.from([0xd0, 0x0f]), Buffer.alloc(1_001)]),
    /JSON has more than/,
  ],
  [
    "messages in messages",
    { schemaType: "PROTOBUF", schema: 'syntax="proto3"; message M { M m = 1; }' },
    nested(5_000),
    /not of its schema/,
  ],
  [
    "a text of Protobuf that is nested without end",
    { schemaType: "PROTOBUF", schema: `syntax="proto3"; ${"message M {".repeat(50_000)}` },
    Buffer.from([0]),
    /schema cannot be read/,
  ],
  [
    "a pattern that never ends",
    { schemaType: "JSON", schema: '{"type":"string","pattern":"^(a+)+$"}' },
    Buffer.from(`"${"a".repeat(40)}!"`),
    /takes longer than 2000 ms/,
  ],
  [
    "a schema elsewhere",
    { schemaType: "JSON", schema: '{"$ref":"http://127.0.0.1:1/x.json"}' },
    Buffer.from("{}"),
    /schema cannot be used/,
  ],
  [
    "JSON that is nested without end",
    { schemaType: "JSON", schema: "true" },
    Buffer.from("[".repeat(100_000)),
    /./,
  ],
];

/** Messages in messages, each with its length. */
function nested(depth: number): Buffer {
  let inner = Buffer.alloc(0);
  for (let level = 0; level < depth; level++) {
    const length: number[] = [];
    for (let rest = inner.length; ; rest = Math.floor(rest / 128)) {
      length.push(rest >= 128 ? (rest % 128) | 128 : rest);
      if (rest < 128) break;
    }
    inner = Buffer.concat([Buffer.from([0x0a, ...length]), inner]);
  }
  return Buffer.concat([Buffer.from([0]), inner]);
}

for (const [name, schema, data, expected] of bombs) {
  test(`${name}: its record is given up with the reason, and its neighbours are read`, async () => {
    await using registry = await startFakeRegistry();
    registry.schemas.set("1", schema).set("2", { schema: '"string"' });
    const schemas = await schemasOf(registry);
    const good = framed(2, avsc.Type.forSchema("string").toBuffer("a"));
    const reader = new SchemaReader(readerOf([record(1, framed(1, data)), record(2, good)]), schemas);
    const { records } = await reader.read(10, 1e9, NO_ABORT);
    assert.match(records[0]?.damage ?? "", expected);
    assert.equal(records[1]?.damage, undefined);
  });
}

test("zlib that unpacks into more than an event holds is refused while it is unpacked", async () => {
  await using registry = await startFakeRegistry();
  const decoded = await readOne(glueSchemas(registry), glueFramed(Buffer.alloc(64 * 1024 * 1024), true));
  assert.match(decoded.damage ?? "", /zlib data cannot be unpacked/);
});

test("what grows by its schema is given in parts that fit the read, with progress behind the last part only", async () => {
  await using registry = await startFakeRegistry();
  registry.schemas.set("1", { schema: '"string"' });
  const schemas = await schemasOf(registry);
  const data = framed(1, avsc.Type.forSchema("string").toBuffer("a".repeat(1_000)));
  const reader = new SchemaReader(readerOf([1, 2, 3].map((offset) => record(offset, data))), schemas);
  const [first, second] = [await reader.read(10, 3_200, NO_ABORT), await reader.read(10, 3_200, NO_ABORT)];
  assert.deepEqual(
    [first.records.length, first.lookedTo, second.records.length, second.lookedTo],
    [2, undefined, 1, "99"],
  );
});
