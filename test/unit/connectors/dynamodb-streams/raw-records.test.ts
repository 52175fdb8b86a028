import assert from "node:assert/strict";
import { test } from "node:test";
import { createDynamodbEvents, createRecordFactory } from "../../../../connectors/dynamodb-streams/event.ts";
import { parseRecords } from "../../../../connectors/dynamodb-streams/raw-records.ts";
import { createSdkStreamApi } from "../../../../connectors/dynamodb-streams/sdk-stream-api.ts";
import { startCannedAws } from "../../../servers/canned-aws.ts";
import { ARN } from "./fake-source.ts";

const NO_ABORT = new AbortController().signal;
const events = createDynamodbEvents(ARN.arn);
const makeRecord = createRecordFactory(ARN, "pk");

function page(...elements: readonly string[]): string {
  return `{"NextShardIterator":"next","Records":[${elements.join(",")}]}`;
}

function element(sequenceNumber: string, image: string, keys = '{"pk":{"S":"x"}}'): string {
  return (
    `{"eventID":"id-${sequenceNumber}","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1789651658,"Keys":${keys},` +
    `"NewImage":${image},"SequenceNumber":"${sequenceNumber}","SizeBytes":26,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`
  );
}

/** Through the SDK's client, from the wire to the event. */
async function eventOf(t: Parameters<typeof startCannedAws>[0], body: string): Promise<string> {
  await startCannedAws(t, () => ({ status: 200, body }));
  const api = createSdkStreamApi(ARN);
  t.after(() => api.close());
  const answer = await api.getRecords("shard-1", "iterator", 100, NO_ABORT);
  assert.ok(answer.kind === "records" && answer.next === "next");
  return Buffer.from(events.encode(answer.records.map(makeRecord), undefined)).toString();
}

// What applications store, as DynamoDB writes it.
const ITEMS: readonly (readonly [what: string, image: string])[] = [
  ["an attribute called __proto__", '{"pk":{"S":"x"},"__proto__":{"S":"kept"},"constructor":{"S":"c"}}'],
  [
    "__proto__ in a map of a list",
    '{"l":{"L":[{"M":{"__proto__":{"M":{"__proto__":{"S":"deep"}}},"k":{"S":"v"}}}]}}',
  ],
  ["an attribute without a name", '{"":{"S":"empty name"},"a.b c\\"":{"S":"q"}}'],
  [
    "numbers of 38 digits",
    '{"n":{"N":"12345678901234567890123456789012345678"},"ns":{"NS":["1E-130","1.50","-0"]}}',
  ],
  ["names that look like numbers, in their order", '{"10":{"S":"a"},"2":{"S":"b"},"1":{"S":"c"}}'],
  ["a lone surrogate", '{"s":{"S":"a\\ud800"}}'],
  [
    "binary and empty values",
    '{"b":{"B":""},"bs":{"BS":["AA==","/w=="]},"z":{"NULL":true},"m":{"M":{}},"f":{"BOOL":false}}',
  ],
  ["a type that is not known yet", '{"v":{"V7":{"any":["thing",1.50]}}}'],
];

for (const [what, image] of ITEMS) {
  test(`an item with ${what} comes to the function as DynamoDB wrote it`, async (t) => {
    const event = await eventOf(t, page(element("1", image)));
    assert.ok(event.includes(`"NewImage":${image},`), event);
    JSON.parse(event);
  });
}

test("a wide item and one that is deep come whole", async (t) => {
  const wide = `{${Array.from({ length: 5_000 }, (_, index) => `"attribute-${index}":{"S":"v"}`).join(",")}}`;
  const deep = `{"d":${'{"L":['.repeat(20_000)}{"S":"x"}${"]}".repeat(20_000)}}`;
  const event = await eventOf(t, page(element("1", wide), element("2", deep)));
  assert.ok(event.includes(wide) && event.includes(deep));
});

// Members of a type that DynamoDB's do not have; with the SDK each of them failed its whole page.
for (const [what, broken] of [
  ["a time that is no number", element("2", "{}").replace("1789651658", '"yesterday"')],
  ["a time beyond any date", element("2", "{}").replace("1789651658", "1e300")],
  ["null in the place of an image", element("2", "null")],
  [
    "a user identity that is a text",
    element("2", "{}").replace('"eventName"', '"userIdentity":"me","eventName"'),
  ],
  ["keys of another type", element("2", "{}", '{"pk":5}')],
] as const) {
  test(`a record with ${what} costs its neighbours nothing`, async (t) => {
    const event = await eventOf(
      t,
      page(element("1", '{"n":{"N":"1"}}'), broken, element("3", '{"n":{"N":"3"}}')),
    );
    const { Records } = JSON.parse(event) as { Records: readonly { dynamodb: { SequenceNumber: string } }[] };
    assert.deepEqual(
      Records.map(({ dynamodb }) => dynamodb.SequenceNumber),
      ["1", "2", "3"],
    );
  });
}

test("an answer that is no JSON is an error, and names no content", () => {
  assert.throws(() => parseRecords('{"Records":[{"dynamodb":{"NewImage":{nope}}}]}'), SyntaxError);
  assert.throws(() => parseRecords("<html>"), SyntaxError);
});

test("the key called __proto__ is a lane too", () => {
  const [record] = parseRecords(page(element("1", "{}", '{"__proto__":{"S":"lane"}}'))).records;
  assert.ok(record !== undefined);
  assert.equal(createRecordFactory(ARN, "__proto__")(record).key, "lane");
});
