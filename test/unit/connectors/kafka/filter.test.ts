import assert from "node:assert/strict";
import { test } from "node:test";
import { kafkaFilterDocument } from "../../../../connectors/kafka/filter.ts";
import { compileFilterCriteria } from "../../../../src/engine/filter/filter.ts";
import { recordOf } from "./sample-messages.ts";

const JSON_VALUE = Buffer.from('{"city":"Oslo","n":5}');
const TEXT_VALUE = Buffer.from("plain");
const BINARY_VALUE = Buffer.of(0xff, 0xfe);

function passes(pattern: object, record: ReturnType<typeof recordOf>): boolean {
  const filter = compileFilterCriteria([JSON.stringify(pattern)], "value", { dataPattern: "any" });
  return filter.matches(kafkaFilterDocument(record));
}

/** filters §3: what of a pattern decides, by the forms of data and pattern. Metadata stand for the rest. */
const CASES: readonly (readonly [data: string, value: Buffer | null, pattern: object, passes: boolean])[] = [
  ["JSON, asked for JSON that it has", JSON_VALUE, { value: { city: ["Oslo"] } }, true],
  ["JSON, asked for JSON that it has not", JSON_VALUE, { value: { city: ["Rome"] } }, false],
  ["JSON, asked for a text: not asked at all", JSON_VALUE, { value: ["plain"] }, true],
  ["JSON, asked for a text and metadata that fit", JSON_VALUE, { value: ["x"], partition: [0] }, true],
  ["JSON, asked for a text and metadata that do not", JSON_VALUE, { value: ["x"], partition: [1] }, false],
  ["a text, asked for that text", TEXT_VALUE, { value: ["plain"] }, true],
  ["a text, asked for another", TEXT_VALUE, { value: [{ "anything-but": ["plain"] }] }, false],
  ["a text, asked for JSON: not asked at all", TEXT_VALUE, { value: { city: ["Rome"] } }, true],
  ["a text, asked for JSON and other metadata", TEXT_VALUE, { value: { n: [1] }, topic: ["other"] }, false],
  ["a text, asked for metadata only", TEXT_VALUE, { topic: ["mytopic"] }, true],
  ["no UTF-8, asked for a text", BINARY_VALUE, { value: ["plain"] }, true],
  ["no UTF-8, asked for JSON and other metadata", BINARY_VALUE, { value: { n: [1] }, offset: [16] }, false],
  ["a tombstone, asked for JSON", null, { value: { city: ["Oslo"] } }, false],
  ["a tombstone, asked for a text", null, { value: ["plain"] }, false],
  ["a tombstone, asked for null", null, { value: [null] }, true],
  ["a tombstone, asked for a member that does not exist", null, { value: { n: [{ exists: false }] } }, true],
  ["a scalar counts as text", Buffer.from("17"), { value: ["17"] }, true],
];

for (const [name, value, pattern, expected] of CASES) {
  test(`a value that is ${name}: ${expected ? "passes" : "does not pass"}`, () => {
    assert.equal(passes(pattern, recordOf({ value })), expected);
  });
}

test("patterns see the key in its own form, whatever the value's", () => {
  const record = recordOf({ key: Buffer.from('{"tenant":7}'), value: BINARY_VALUE });
  assert.equal(passes({ key: { tenant: [7] } }, record), true);
  assert.equal(passes({ key: { tenant: [8] } }, record), false);
  assert.equal(passes({ key: { tenant: [7] }, value: { a: [1] } }, record), true);
  assert.equal(passes({ key: ["a"] }, recordOf({ key: Buffer.from("a") })), true);
  assert.equal(passes({ key: ["b"] }, recordOf({ key: Buffer.from("a") })), false);
  assert.equal(passes({ key: [null] }, recordOf({ key: null })), true);
});

test("alternatives of a pattern are set aside one by one", () => {
  const pattern = { $or: [{ value: { n: [1] } }, { partition: [9] }] };
  assert.equal(passes(pattern, recordOf({ value: JSON_VALUE })), false);
  assert.equal(passes(pattern, recordOf({ value: TEXT_VALUE })), true);
});

test("headers and other metadata can be matched", () => {
  const record = recordOf({ headers: [{ key: "kind", value: Buffer.from("a") }] });
  assert.equal(passes({ headers: { kind: [97] } }, record), true);
  assert.equal(passes({ timestampType: ["LOG_APPEND_TIME"] }, record), false);
});
