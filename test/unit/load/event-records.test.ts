import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnyEvent, readEvent } from "../../../src/load/event-records.ts";
import { failingItems, settledBy, settledByItems } from "../../../src/load/item-failures.ts";
import { decodePayload, encodePayload, type RecordIdentity } from "../../../src/load/payload.ts";

const ONE: RecordIdentity = { run: "ab12cd34", key: 7, index: 3, dueMs: 1234.5 };
const TEXT = encodePayload(ONE, 200);
const BASE64 = Buffer.from(TEXT).toString("base64");

test("a record says who it is at any size, and has the size that was asked for", () => {
  for (const bytes of [128, 1024, 262_144]) {
    const text = encodePayload(ONE, bytes);
    assert.equal(Buffer.byteLength(text), bytes);
    assert.deepEqual(decodePayload(text), ONE);
    assert.doesNotThrow(() => JSON.parse(text));
  }
});

test("what no load test has sent is nobody", () => {
  for (const text of ["", "{}", "null", '{"run":"x"}', `${TEXT}`.replace('"key":7', '"key":-7')]) {
    assert.equal(decodePayload(text), undefined);
  }
});

test("reads the records of every source's event, with what a partial response names them by", () => {
  const events: readonly [event: object, identifier: unknown, rule: string][] = [
    [{ Records: [{ kinesis: { data: BASE64, sequenceNumber: "49" } }] }, "49", "allBehind"],
    [
      { Records: [{ dynamodb: { NewImage: { payload: { S: TEXT } }, SequenceNumber: "7" } }] },
      "7",
      "allBehind",
    ],
    [{ Records: [{ messageId: "m-1", body: TEXT, attributes: {} }] }, "m-1", "alone"],
    [
      { Records: [{ messageId: "m-1", body: TEXT, attributes: { MessageGroupId: "g" } }] },
      "m-1",
      "keyBehind",
    ],
    [
      { eventSource: "SelfManagedKafka", records: { "t-0": [{ offset: 5, value: BASE64 }] } },
      { partition: "t-0", offset: 5 },
      "keyBehind",
    ],
  ];
  for (const [event, identifier, partialRule] of events) {
    const read = readEvent(JSON.stringify(event));
    assert.deepEqual(read, { identities: [ONE], itemIdentifiers: [identifier], partialRule });
  }
});

test("records of others stand in their places as nobody", () => {
  const event = { Records: [{ messageId: "1", body: "hello" }, { messageId: "2" }, null] };
  assert.deepEqual(readEvent(JSON.stringify(event)).identities, [undefined, undefined, undefined]);
});

test("what is no event is an error", () => {
  for (const body of ["", "null", "{}", "[1]"]) assert.throws(() => readEvent(body));
});

test("a partial response settles what its source does not try again", () => {
  const identities = [1, 2, 1, 2].map((key): RecordIdentity => ({ ...ONE, key }));
  const settled = (partialRule: "allBehind" | "keyBehind" | "alone") => {
    const isSettled = settledBy({ identities, itemIdentifiers: [], partialRule }, 1);
    return [0, 1, 2, 3].filter(isSettled);
  };
  assert.deepEqual(settled("allBehind"), [0]);
  assert.deepEqual(settled("keyBehind"), [0, 2]);
  assert.deepEqual(settled("alone"), [0, 2, 3]);
});

test("what something else posts is read too: CloudEvents, records themselves, lists of them", () => {
  const payload = encodePayload({ run: "run", key: 3, index: 4, dueMs: 5.25 }, 128);
  const identity = { run: "run", key: 3, index: 4, dueMs: 5.25 };
  const event = { specversion: "1.0", id: "a", type: "t", source: "s" };
  for (const body of [
    payload,
    JSON.stringify(payload),
    JSON.stringify({ ...event, data: JSON.parse(payload) }),
    JSON.stringify({ ...event, data: payload }),
    JSON.stringify({ ...event, data_base64: Buffer.from(payload).toString("base64") }),
    `[${payload}]`,
    JSON.stringify({ Records: [{ messageId: "a", body: payload }] }),
  ]) {
    assert.deepEqual(readAnyEvent(body).identities, [identity], body);
  }
  assert.deepEqual(readAnyEvent('{"specversion":"1.0","data":{"mine":1}}').identities, [undefined]);
  assert.throws(() => readEvent(payload), /neither Records nor records/);
});

test("an answer names what comes again: what it does not have, or no answer at all, is the whole", () => {
  const event = readEvent(
    JSON.stringify({ Records: ["a", "b", "c"].map((messageId) => ({ messageId, body: "x" })) }),
  );
  const done = (body: string) => {
    const isDone = settledByItems(event, failingItems(event, Buffer.from(body)));
    return [0, 1, 2].filter(isDone);
  };
  assert.deepEqual(done(""), [0, 1, 2]);
  assert.deepEqual(done("null"), [0, 1, 2]);
  assert.deepEqual(done('{"batchItemFailures":[]}'), [0, 1, 2]);
  assert.deepEqual(done('{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"a"}]}'), [2]);
  assert.deepEqual(done('{"batchItemFailures":[{"itemIdentifier":"z"}]}'), []);
  assert.deepEqual(done("done"), []);
});
