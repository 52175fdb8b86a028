import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createSqsMessageFactory,
  encodeSqsEvent,
  SQS_ENVELOPE_BYTES,
  type SqsEventSource,
  type SqsMessageParts,
  sqsFilterDocument,
} from "../../../src/model/sqs-event.ts";

const SOURCE: SqsEventSource = {
  eventSourceArn: "arn:aws:sqs:us-east-2:123456789012:my-queue",
  awsRegion: "us-east-2",
  isFifo: false,
  missingAttributesMd5: "left-out",
};

const PARTS: SqsMessageParts = {
  messageId: "059f36b4-87a3-44ab-83d2-661975830a7d",
  receiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
  body: '{"x":1}',
  attributes: {
    SentTimestamp: "1545082649183",
    SenderId: "AIDAIENQZJOLO23YVJ4VO",
    ApproximateReceiveCount: "1",
    ApproximateFirstReceiveTimestamp: "1545082649185",
  },
  messageAttributes: [
    ["Title", { dataType: "String", stringValue: "The Whistler" }],
    ["WeeksOn", { dataType: "Number", stringValue: "6" }],
  ],
  md5OfMessageAttributes: "d25a6aea97eb8f585bfa92d314504a92",
  md5OfBody: "e4e68fb7bd0e697a0ae8f1bb342846b3",
};

test("the event is AWS's, byte for byte", () => {
  // Queues §2.6, without the line breaks.
  const expected =
    '{"Records":[{"messageId":"059f36b4-87a3-44ab-83d2-661975830a7d",' +
    '"receiptHandle":"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...","body":"{\\"x\\":1}",' +
    '"attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"1545082649183","SenderId":"AIDAIENQZJOLO23YVJ4VO",' +
    '"ApproximateFirstReceiveTimestamp":"1545082649185"},' +
    '"messageAttributes":{"Title":{"stringValue":"The Whistler","stringListValues":[],"binaryListValues":[],' +
    '"dataType":"String"},"WeeksOn":{"stringValue":"6","stringListValues":[],"binaryListValues":[],' +
    '"dataType":"Number"}},"md5OfMessageAttributes":"d25a6aea97eb8f585bfa92d314504a92",' +
    '"md5OfBody":"e4e68fb7bd0e697a0ae8f1bb342846b3","eventSource":"aws:sqs",' +
    '"eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:my-queue","awsRegion":"us-east-2"}]}';
  const message = createSqsMessageFactory(SOURCE)(PARTS);
  assert.equal(Buffer.from(encodeSqsEvent([message])).toString(), expected);
});

test("a message without attributes has no MD5 of them, or null, as the source says", () => {
  const { md5OfMessageAttributes, ...rest } = PARTS;
  const parts = { ...rest, messageAttributes: [], md5OfMessageAttributes: undefined };
  const shown = (missingAttributesMd5: SqsEventSource["missingAttributesMd5"]) =>
    createSqsMessageFactory({ ...SOURCE, missingAttributesMd5 })(parts).element.toString();
  assert.match(shown("left-out"), /"messageAttributes":\{\},"md5OfBody"/);
  assert.match(shown("null"), /"messageAttributes":\{\},"md5OfMessageAttributes":null,"md5OfBody"/);
});

test("binary attributes are base64, and system attributes are in AWS's order, those that are unknown last", () => {
  const parts: SqsMessageParts = {
    ...PARTS,
    attributes: { New: "n", MessageGroupId: "g", DeadLetterQueueSourceArn: "arn", ...PARTS.attributes },
    messageAttributes: [["raw", { dataType: "Binary.png", binaryValue: Buffer.of(1, 2, 255) }]],
  };
  const message = createSqsMessageFactory(SOURCE)(parts);
  const record = JSON.parse(message.element.toString());
  assert.deepEqual(record.messageAttributes, {
    raw: { binaryValue: "AQL/", stringListValues: [], binaryListValues: [], dataType: "Binary.png" },
  });
  assert.deepEqual(Object.keys(record.attributes), [
    "DeadLetterQueueSourceArn",
    "ApproximateReceiveCount",
    "SentTimestamp",
    "MessageGroupId",
    "SenderId",
    "ApproximateFirstReceiveTimestamp",
    "New",
  ]);
  assert.equal(message.groupId, undefined);
  assert.equal(createSqsMessageFactory({ ...SOURCE, isFifo: true })(parts).groupId, "g");
});

test("any message is written in exactly its announced bytes, and every text comes back", () => {
  const text = fc.string({ unit: "binary" });
  const messages = fc.array(fc.record({ body: text, receiptHandle: text }, { noNullPrototype: true }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(messages, (texts) => {
      const made = texts.map((each) => createSqsMessageFactory(SOURCE)({ ...PARTS, ...each }));
      const event = Buffer.from(encodeSqsEvent(made));
      const announced = made.reduce((sum, { encodedBytes }) => sum + encodedBytes, SQS_ENVELOPE_BYTES);
      assert.equal(event.length, announced + Math.max(0, made.length - 1));
      const { Records } = JSON.parse(event.toString()) as { Records: typeof texts };
      assert.deepEqual(
        Records.map(({ body, receiptHandle }) => ({ body, receiptHandle })),
        texts,
      );
    }),
  );
});

test("filters see the whole record, its body parsed when it is an object", () => {
  const seen = (body: string) => sqsFilterDocument(createSqsMessageFactory(SOURCE)({ ...PARTS, body }));
  const { document, isDataJson } = seen('{"a":[1]}');
  const record = document as Readonly<Record<string, unknown>>;
  assert.deepEqual([record["body"], record["messageId"], isDataJson], [{ a: [1] }, PARTS.messageId, true]);
  for (const body of ["[1]", "1", "null", '"x"', "text", "{"]) {
    const plain = seen(body);
    assert.deepEqual([(plain.document as { body: unknown }).body, plain.isDataJson], [body, false]);
  }
});
