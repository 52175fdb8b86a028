import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttributeValue } from "@aws-sdk/client-dynamodb-streams";
import fc from "fast-check";
import { createDynamodbEvents, createRecordFactory } from "../../../../connectors/dynamodb-streams/event.ts";
import type { ChangeRecord } from "../../../../connectors/dynamodb-streams/stream-api.ts";
import { compileFilterCriteria } from "../../../../src/engine/filter/filter.ts";
import { hasErrorCode } from "../../../../src/model/errors.ts";
import { ARN } from "./fake-source.ts";
import { itemText } from "./item-text.ts";

const events = createDynamodbEvents(ARN.arn);
const makeRecord = createRecordFactory(ARN, "pk");

const CHANGE: ChangeRecord = {
  eventID: "9cdf975187b7d7f668abf98414c08f05",
  eventName: "MODIFY",
  dynamodb: {
    // Not in AWS's order, which the event has all the same.
    StreamViewType: "NEW_AND_OLD_IMAGES",
    SizeBytes: 46,
    SequenceNumber: "2900002759746085485437",
    Keys: itemText({ pk: { S: "x" } }),
    NewImage: itemText({ pk: { S: "x" }, n: { N: "1.50" } }),
    OldImage: itemText({ pk: { S: "x" } }),
    ApproximateCreationDateTime: new Date(1_789_651_658_000),
  },
};

const RECORD_JSON =
  '{"eventID":"9cdf975187b7d7f668abf98414c08f05","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb",' +
  '"awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":1.789651658E9,"Keys":{"pk":{"S":"x"}},' +
  '"NewImage":{"pk":{"S":"x"},"n":{"N":"1.50"}},"OldImage":{"pk":{"S":"x"}},"SequenceNumber":"2900002759746085485437",' +
  '"SizeBytes":46,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":' +
  '"arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"}';

function encode(...changes: readonly ChangeRecord[]): string {
  return Buffer.from(events.encode(changes.map(makeRecord), undefined)).toString();
}

function withChange(change: Partial<NonNullable<ChangeRecord["dynamodb"]>>): ChangeRecord {
  return { ...CHANGE, dynamodb: { ...CHANGE.dynamodb, ...change } };
}

test("an event has AWS's bytes, members in AWS's order", () => {
  assert.equal(encode(CHANGE, CHANGE), `{"Records":[${RECORD_JSON},${RECORD_JSON}]}`);
});

test("members that a record does not have are left out, as in streams of keys only", () => {
  const text = encode({
    eventID: "1",
    eventName: "INSERT",
    dynamodb: { SequenceNumber: "1", Keys: itemText({ pk: { S: "x" } }) },
  });
  const { Records } = JSON.parse(text) as { Records: readonly { dynamodb: object }[] };
  assert.deepEqual(Object.keys(Records[0]?.dynamodb ?? {}), ["Keys", "SequenceNumber"]);
});

test("creation times have the value and the look of AWS's, and are the arrival in whole seconds", () => {
  for (const [epochMs, text] of [
    [1_789_651_658_000, "1.789651658E9"],
    [1_700_000_000_000, "1.7E9"],
    [2_000_000_000_999, "2.0E9"],
    [0, "0.0"],
    [-1_789_651_658_000, "-1.789651658E9"],
  ] as const) {
    const change = withChange({ ApproximateCreationDateTime: new Date(epochMs) });
    assert.ok(encode(change).includes(`"ApproximateCreationDateTime":${text},`), text);
    assert.equal(makeRecord(change).arrivalMs, Math.floor(epochMs / 1000) * 1000);
    assert.equal(Number(text) * 1000, Math.floor(epochMs / 1000) * 1000);
  }
});

test("a delete by time-to-live says who deleted, behind the change", () => {
  const text = encode({
    ...CHANGE,
    eventName: "REMOVE",
    userIdentity: { PrincipalId: "dynamodb.amazonaws.com", Type: "Service" },
  });
  const tail =
    '},"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"eventSourceARN":"';
  assert.ok(text.includes(tail), text);
});

test("values of every type are DynamoDB's own JSON, binary in base64", () => {
  const bytes = Buffer.from("foobar");
  const NewImage: Record<string, AttributeValue> = {
    s: { S: 'schlüssel "漢字" \\ \u2028 \ud83d\ude80' },
    n: { N: "123456789012345678901234567890.12345678" },
    b: { B: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) },
    yes: { BOOL: true },
    no: { BOOL: false },
    nothing: { NULL: true },
    m: { M: { "": { S: "" }, inner: { M: {} } } },
    l: { L: [{ S: "a" }, { L: [] }, { N: "1" }] },
    ss: { SS: ["a", 'b"'] },
    ns: { NS: ["1", "2.5"] },
    bs: { BS: [Buffer.from("a"), Buffer.from("")] },
  };
  const { Records } = JSON.parse(encode(withChange({ NewImage: itemText(NewImage) }))) as {
    Records: readonly { dynamodb: { NewImage: unknown } }[];
  };
  assert.deepEqual(Records[0]?.dynamodb.NewImage, {
    ...NewImage,
    b: { B: "Zm9vYmFy" },
    bs: { BS: ["YQ==", ""] },
  });
});

const attribute: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.record({ S: fc.string({ unit: "grapheme" }) }),
    fc.record({ N: fc.integer().map(String) }),
    fc.record({ B: fc.uint8Array() }),
    fc.record({ SS: fc.array(fc.string({ unit: "binary" }), { minLength: 1 }) }),
    fc.record({ L: fc.array(tie("value")) }),
    fc.record({ M: fc.dictionary(fc.string({ unit: "grapheme" }), tie("value")) }),
  ),
})).value;

test("whatever an item holds, the announced size is exact and the JSON gives the item back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string({ unit: "grapheme" }), attribute), { minLength: 1, maxLength: 4 }),
      (items) => {
        const records = items.map((item) => makeRecord(withChange({ NewImage: itemText(item) })));
        const event = events.encode(records, undefined);
        const announced = records.reduce((sum, record) => sum + record.encodedBytes, records.length - 1);
        assert.equal(event.length, events.envelopeBytes("shard") + announced);
        assert.ok(records.every((record) => record.bytes > record.encodedBytes));
        const parsed = JSON.parse(Buffer.from(event).toString()) as {
          Records: readonly { dynamodb: { NewImage: unknown } }[];
        };
        const images = parsed.Records.map((record) => record.dynamodb.NewImage);
        // Strings with lone surrogates lose them in UTF-8, on AWS as here.
        assert.deepEqual(
          images,
          items.map((item) => JSON.parse(Buffer.from(itemText(item)).toString())),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test("an item's partition key is its lane, whatever its type and its sort key", () => {
  const laneOf = (keys: Record<string, AttributeValue>) =>
    makeRecord(withChange({ Keys: itemText(keys) })).key;
  assert.equal(laneOf({ sk: { S: "1" }, pk: { S: "x" } }), laneOf({ pk: { S: "x" }, sk: { S: "2" } }));
  assert.equal(laneOf({ pk: { N: "17" } }), "17");
  assert.equal(laneOf({ pk: { B: Buffer.from("foobar") } }), "Zm9vYmFy");
  assert.equal(laneOf({ other: { S: "x" } }), '{"other":{"S":"x"}}');
});

test("a record without a sequence number is an error that names the stream, not a crash", () => {
  for (const change of [{ eventID: "1" }, { dynamodb: {} }]) {
    assert.throws(
      () => makeRecord(change),
      (error) => hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE") && error.message.includes(ARN.arn),
    );
  }
});

test("filters see the whole record, with AWS's rules for typed values", () => {
  const document = events.filterDocument(
    makeRecord(
      withChange({ NewImage: itemText({ pk: { S: "x" }, presentKey: { S: "yes" }, n: { N: "10" } }) }),
    ),
  );
  assert.equal(events.filterDataKey, "dynamodb");
  assert.equal(document.isDataJson, true);
  const matches = (pattern: object) =>
    compileFilterCriteria([JSON.stringify(pattern)], "dynamodb")?.matches(document);
  const inImage = (image: object) => ({ dynamodb: { NewImage: image } });
  assert.equal(matches({ eventName: ["MODIFY"] }), true);
  assert.equal(matches({ eventName: ["INSERT"] }), false);
  assert.equal(matches({ eventSource: ["aws:dynamodb"], awsRegion: ["eu-west-1"] }), true);
  assert.equal(matches(inImage({ presentKey: { S: ["yes"] } })), true);
  assert.equal(matches(inImage({ n: { N: [{ numeric: [">", 5] }] } })), false);
  assert.equal(matches(inImage({ n: { N: [{ "anything-but": ["11"] }] } })), true);
  assert.equal(matches(inImage({ presentKey: [{ exists: false }] })), true);
  assert.equal(matches(inImage({ presentKey: { S: [{ exists: false }] } })), false);
  const created = { ApproximateCreationDateTime: [{ numeric: ["=", 1_789_651_658] }] };
  assert.equal(matches({ dynamodb: created }), true);
});
