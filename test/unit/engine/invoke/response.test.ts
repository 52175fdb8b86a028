import assert from "node:assert/strict";
import { test } from "node:test";
import { createKafkaEvents } from "../../../../connectors/kafka/event.ts";
import { readResponse } from "../../../../src/engine/invoke/response.ts";

const KAFKA = createKafkaEvents({ eventSourceArn: undefined, bootstrapServers: ["b:9092"] });
const OFFSETS = ["9007199254740991", "9007199254740992", "9007199254740993"];

/** What an answer that lists this offset says of a batch of `OFFSETS`. */
function listing(offset: string) {
  const body = `{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":${offset}}}]}`;
  return readResponse(Buffer.from(body), {
    reportBatchItemFailures: true,
    expectsState: false,
    indexOf: (value) => {
      const index = OFFSETS.indexOf(KAFKA.readItemIdentifier?.(value, "t-0") ?? "");
      return index < 0 ? undefined : index;
    },
  });
}

test("a number in a partial response names the record of exactly that offset", () => {
  for (const [index, offset] of OFFSETS.entries()) {
    assert.deepEqual(listing(offset), { kind: "partial", failed: new Set([index]), stateJson: undefined });
  }
});

test("a number that only rounding would make one of the batch's offsets names no record", () => {
  for (const offset of ["9007199254740994", "9007199254740995", "-9007199254740993", "1e400"]) {
    assert.equal(listing(offset).kind, "malformed", offset);
  }
});

const BRACKETS = 1_000_000;

/** What an answer says of a batch of the records "1" and "2". */
function verdictOf(body: string, { expectsState = false } = {}) {
  return readResponse(Buffer.from(body), {
    reportBatchItemFailures: true,
    expectsState,
    indexOf: (value) => ({ 1: 0, 2: 1 })[String(value)],
  });
}

test("a megabyte of brackets in brackets beside the failures is passed over", () => {
  // As values it would overflow the stack, or take seconds and hundreds of megabytes.
  const deep = `${"[".repeat(BRACKETS)}12345678901234567890${"]".repeat(BRACKETS)}`;
  assert.equal(verdictOf(`{"x":${deep},"batchItemFailures":[]}`).kind, "succeeded");
  assert.deepEqual(verdictOf(`{"x":${deep},"batchItemFailures":[{"itemIdentifier":"2","y":${deep}}]}`), {
    ...{ kind: "partial", failed: new Set([1]), stateJson: undefined },
  });
  assert.equal(verdictOf(`{"state":${deep}}`, { expectsState: true }).kind, "succeeded");
});

test("a megabyte of brackets as an answer, a list of failures, a failure or an identifier fails the batch", () => {
  const deep = "[".repeat(BRACKETS) + "]".repeat(BRACKETS);
  const bodies = [
    deep,
    `{"batchItemFailures":${deep}}`,
    `{"batchItemFailures":[{"itemIdentifier":"1"},${deep}]}`,
    `{"batchItemFailures":[{"itemIdentifier":${deep}}]}`,
    "[".repeat(BRACKETS),
  ];
  for (const body of bodies) assert.equal(verdictOf(body).kind, "malformed");
});

test("failures that are listed again and again are one, and more than a batch can have are none", () => {
  const list = (items: readonly string[]) => `{"batchItemFailures":[${items.join(",")}]}`;
  const same = Array<string>(200_000).fill('{"itemIdentifier":"1"}');
  assert.deepEqual(verdictOf(list(same)), { kind: "partial", failed: new Set([0]), stateJson: undefined });
  const others = Array.from({ length: 200_000 }, (_, index) => `{"itemIdentifier":"1","n":${index}}`);
  assert.equal(verdictOf(list(others)).kind, "malformed");
});

test("of members that are said twice the last one counts, whatever escapes their names have", () => {
  const body =
    '{"batchItemFailures":[{"itemIdentifier":"1"}],"batchItem\\u0046ailures":[{"itemIdentifier":"2"}]}';
  assert.deepEqual(verdictOf(body), { kind: "partial", failed: new Set([1]), stateJson: undefined });
  assert.equal(verdictOf('{"__proto__":{"batchItemFailures":[{"itemIdentifier":"1"}]}}').kind, "succeeded");
});
