import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { createMessageFactory, createSqsEvents } from "../../../../connectors/sqs/event.ts";
import { ARN, FIFO_ARN } from "./fake-queue.ts";

const events = createSqsEvents();

/** In another order than the event's, as a service may give it. */
const BOOK: Message = {
  Attributes: {
    SenderId: "AIDAIENQZJOLO23YVJ4VO",
    ApproximateFirstReceiveTimestamp: "1545082649185",
    ApproximateReceiveCount: "1",
    SentTimestamp: "1545082649183",
  },
  Body: '{"x":1}',
  MD5OfBody: "e4e68fb7bd0e697a0ae8f1bb342846b3",
  MD5OfMessageAttributes: "d25a6aea97eb8f585bfa92d314504a92",
  MessageAttributes: {
    Title: { DataType: "String", StringValue: "The Whistler" },
    WeeksOn: { DataType: "Number", StringValue: "6" },
    Cover: { DataType: "Binary", BinaryValue: Uint8Array.of(0, 255, 16) },
  },
  MessageId: "059f36b4-87a3-44ab-83d2-661975830a7d",
  ReceiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
};

const LISTS = '"stringListValues":[],"binaryListValues":[]';
const BOOK_JSON =
  '{"Records":[{"messageId":"059f36b4-87a3-44ab-83d2-661975830a7d",' +
  '"receiptHandle":"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...","body":"{\\"x\\":1}",' +
  '"attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"1545082649183","SenderId":"AIDAIENQZJOLO23YVJ4VO",' +
  '"ApproximateFirstReceiveTimestamp":"1545082649185"},' +
  `"messageAttributes":{"Title":{"stringValue":"The Whistler",${LISTS},"dataType":"String"},` +
  `"WeeksOn":{"stringValue":"6",${LISTS},"dataType":"Number"},` +
  `"Cover":{"binaryValue":"AP8Q",${LISTS},"dataType":"Binary"}},` +
  '"md5OfMessageAttributes":"d25a6aea97eb8f585bfa92d314504a92","md5OfBody":"e4e68fb7bd0e697a0ae8f1bb342846b3",' +
  '"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:my-queue","awsRegion":"us-east-2"}]}';

function eventText(message: Message, hasBatchingWindow = false, arn = ARN): string {
  return Buffer.from(events.encode([createMessageFactory(arn, hasBatchingWindow)(message)])).toString();
}

test("an event is AWS's, byte for byte", () => {
  assert.equal(eventText(BOOK), BOOK_JSON);
});

test("a FIFO queue's message carries its order among its attributes, in AWS's order", () => {
  const Attributes = {
    MessageDeduplicationId: "1",
    MessageGroupId: "1",
    SequenceNumber: "18849496460467696128",
    DeadLetterQueueSourceArn: "arn:aws:sqs:us-east-2:123456789012:dead.fifo",
    AWSTraceHeader: "Root=1-5759e988-bd862e3fe1be46a994272793",
    ...BOOK.Attributes,
  };
  const text = eventText({ ...BOOK, Attributes }, false, FIFO_ARN);
  const { Records } = JSON.parse(text) as { readonly Records: readonly { readonly attributes: object }[] };
  assert.deepEqual(Object.keys(Records[0]?.attributes ?? {}), [
    "DeadLetterQueueSourceArn",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "SentTimestamp",
    "SequenceNumber",
    "MessageGroupId",
    "SenderId",
    "MessageDeduplicationId",
    "ApproximateFirstReceiveTimestamp",
  ]);
});

test("the group of a FIFO queue's message is its order's, and that of a standard queue is not", () => {
  const message = { ...BOOK, Attributes: { MessageGroupId: "tenant" } };
  assert.equal(createMessageFactory(FIFO_ARN, false)(message).groupId, "tenant");
  assert.equal(createMessageFactory(ARN, false)(message).groupId, undefined);
});

test("a message without attributes has no sum of them without a window, and one of null with one", () => {
  const { MD5OfMessageAttributes, MessageAttributes, ...plain } = BOOK;
  assert.match(eventText(plain), /"messageAttributes":\{\},"md5OfBody"/);
  assert.match(eventText(plain, true), /"messageAttributes":\{\},"md5OfMessageAttributes":null,"md5OfBody"/);
  assert.equal(eventText(BOOK, true), BOOK_JSON);
});

function samplesOf(text: fc.Arbitrary<string>) {
  return fc.array(fc.record({ body: text, value: text }, { noNullPrototype: true }), { maxLength: 5 });
}

test("any body, and any attribute, comes out as it went in, in exactly the announced bytes", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(samplesOf(text), (samples) => {
      const messages = samples.map(({ body, value }) =>
        createMessageFactory(
          ARN,
          true,
        )({
          ...BOOK,
          Body: body,
          MessageAttributes: { [`name.${value.length}`]: { DataType: "String", StringValue: value } },
        }),
      );
      const event = events.encode(messages);
      const announced = messages.reduce((sum, { encodedBytes }) => sum + encodedBytes, 0);
      assert.equal(event.length, events.envelopeBytes + announced + Math.max(0, messages.length - 1));
      const { Records } = JSON.parse(Buffer.from(event).toString()) as {
        readonly Records: readonly {
          readonly body: string;
          readonly messageAttributes: Readonly<Record<string, { readonly stringValue: string }>>;
        }[];
      };
      assert.deepEqual(
        Records.map(({ body, messageAttributes }) => ({
          body,
          value: Object.values(messageAttributes)[0]?.stringValue,
        })),
        samples,
      );
    }),
  );
});

test("filters see the whole record, its body decoded only when that is a JSON object", () => {
  const bodies: readonly (readonly [string, unknown, boolean])[] = [
    ['{"a":{"b":[1]}}', { a: { b: [1] } }, true],
    [' \n{"a":1} ', { a: 1 }, true],
    ["{not json}", "{not json}", false],
    ["text", "text", false],
    ["[1]", "[1]", false],
    ["null", "null", false],
    ["", "", false],
  ];
  for (const [Body, body, isDataJson] of bodies) {
    const message = createMessageFactory(ARN, false)({ ...BOOK, Body });
    const seen = events.filterDocument(message);
    assert.equal(seen.isDataJson, isDataJson, Body);
    const { Records } = JSON.parse(eventText({ ...BOOK, Body })) as { readonly Records: readonly object[] };
    assert.deepEqual(seen.document, { ...Records[0], body });
  }
});

test("a filter's look at a body does not change the event", () => {
  const Body = '{ "spaced" : 1.0 }';
  const message = createMessageFactory(ARN, false)({ ...BOOK, Body });
  events.filterDocument(message);
  const { Records } = JSON.parse(Buffer.from(events.encode([message])).toString()) as {
    readonly Records: readonly { readonly body: string }[];
  };
  assert.equal(Records[0]?.body, Body);
});

test("a message that cannot be settled is handed out as damaged, which no function sees", () => {
  for (const message of [{ MessageId: "id" }, { ReceiptHandle: "receipt" }, {}]) {
    const { damage } = createMessageFactory(ARN, false)(message);
    assert.match(damage ?? "", /without an id or a receipt handle/);
  }
});

test("a message carries the trace headers that came with it, and none that is too long", () => {
  const carrierOf = (changes: Partial<Message>) =>
    events.traceCarrier?.(createMessageFactory(ARN, false)({ ...BOOK, ...changes }));
  const text = (StringValue: string) => ({ DataType: "String", StringValue });
  assert.equal(carrierOf({}), undefined);
  const Attributes = { ...BOOK.Attributes, AWSTraceHeader: "Root=1" };
  assert.deepEqual(carrierOf({ Attributes, MessageAttributes: undefined }), { xray: "Root=1" });
  const MessageAttributes = { ...BOOK.MessageAttributes, traceparent: text("00-"), tracestate: text("a=1") };
  assert.deepEqual(carrierOf({ Attributes, MessageAttributes }), {
    traceparent: "00-",
    tracestate: "a=1",
    xray: "Root=1",
  });
  const long = { traceparent: text("0".repeat(600)), tracestate: text("a=1") };
  assert.equal(carrierOf({ MessageAttributes: long }), undefined);
  assert.equal(carrierOf({ MessageAttributes: { traceparent: { DataType: "Binary" } } }), undefined);
});
