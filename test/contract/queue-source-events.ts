import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bodiesOf,
  type EventShape,
  type QueueHarness,
  receiveAll,
  receiveOne,
  type SampleMessage,
  STANDARD,
} from "./queue-source-harness.ts";

const OF_AWS_QUEUES: EventShape = { dataKey: "body", listsAreJson: false, namesMessages: true };

const MIXED: readonly SampleMessage[] = [
  { body: '{"kind":"object"}' },
  { body: '{ "spaced" : 1.0,\t"text": "höhe 漢字 \u2028" }' },
  { body: 'not "JSON" \\ at all' },
  { body: "17" },
  { body: "[]" },
  { body: "{}" },
];

/** The laws of `QueueEvents`: what the engine relies on to cut batches by size and to filter. */
export function describeQueueEventsContract(harness: QueueHarness): void {
  test("an event has exactly the announced bytes and gives every body unchanged", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(MIXED);
    const messages = await receiveAll(source, MIXED.length);
    assert.deepEqual(bodiesOf(queue, source, messages).toSorted(), MIXED.map(({ body }) => body).toSorted());
    assert.equal(source.events.encode([]).length, source.events.envelopeBytes);
    for (let count = 1; count <= messages.length; count++) {
      const batch = messages.slice(0, count);
      const announced = batch.reduce((sum, message) => sum + message.encodedBytes, count - 1);
      assert.equal(source.events.encode(batch).length, source.events.envelopeBytes + announced);
      assert.ok(batch.every(({ bytes }) => bytes > 0));
    }
  });

  test("an event made of its messages' elements is the event of the messages, byte for byte", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(MIXED);
    const messages = await receiveAll(source, MIXED.length);
    const elements = messages.map((message) => Buffer.from(source.events.element(message)));
    assert.deepEqual(
      elements.map(({ length }) => length),
      messages.map(({ encodedBytes }) => encodedBytes),
    );
    for (let count = 0; count <= messages.length; count++) {
      const made = source.events.eventOf(elements.slice(0, count));
      assert.equal(
        Buffer.from(made).toString(),
        Buffer.from(source.events.encode(messages.slice(0, count))).toString(),
      );
    }
  });

  const { dataKey, listsAreJson, namesMessages } = harness.can.event ?? OF_AWS_QUEUES;
  const naming = { skip: namesMessages ? false : "its event has no ids, and it takes no partial responses" };
  test("an event names its messages by the ids that partial responses give back", naming, async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(MIXED);
    const messages = await receiveAll(source, MIXED.length);
    const text = Buffer.from(source.events.encode(messages)).toString();
    const { Records } = JSON.parse(text) as { readonly Records: readonly { readonly messageId: string }[] };
    assert.deepEqual(
      Records.map(({ messageId }) => messageId),
      messages.map(({ messageId }) => messageId),
    );
  });

  const documents: readonly (readonly [body: string, seen: unknown, isDataJson: boolean])[] = [
    ['{"a":{"b":1}}', { a: { b: 1 } }, true],
    ["plain text", "plain text", false],
    ["17", "17", false],
    ["[1]", listsAreJson ? [1] : "[1]", listsAreJson],
  ];
  for (const [body, seen, isDataJson] of documents) {
    test(`filters see the body ${body} as ${JSON.stringify(seen)}`, async () => {
      await using queue = await harness.createQueue(STANDARD);
      const source = await queue.openSource();
      await queue.send([{ body }]);
      const message = await receiveOne(source);
      const filterDocument = source.events.filterDocument(message);
      assert.equal(filterDocument.isDataJson, isDataJson);
      const members = filterDocument.document as Readonly<Record<string, unknown>>;
      assert.equal(source.events.filterDataKey, dataKey);
      assert.deepEqual(members[dataKey], seen);
      if (namesMessages) assert.equal(members["messageId"], message.messageId);
    });
  }
}
