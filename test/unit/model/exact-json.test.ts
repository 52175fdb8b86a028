import assert from "node:assert/strict";
import { test } from "node:test";
import {
  elementTexts,
  JSON_DEPTH_MAX,
  JsonTooDeep,
  memberText,
  memberTexts,
  parseExactJson,
} from "../../../src/model/exact-json.ts";

test("a member's text is what stands in the object, whatever JavaScript would make of it", () => {
  const states = [
    '{"sum":12345678901234567890123}',
    '{"big":1e400,"small":1E-400,"neg":-0,"f":1.0}',
    '{"a":1,"a":2}',
    '{"2":"b","1":"a","__proto__":{"x":1}}',
    '"\\ud800 \\" \\\\"',
    '{ "a" : [ 1 , { "]" : "}" } ] ,\n\t"b":"\\\\" }',
    "[[],{},[{}]]",
    "null",
    "-1.50",
    "true",
    '""',
  ];
  for (const state of states) {
    for (const text of [
      `{"state":${state}}`,
      ` { "other" : {"state":0}, "state" : ${state} , "last" : [${state}] } `,
      `{"state":0,"st\\u0061te":${state}}`,
    ]) {
      JSON.parse(text);
      assert.equal(memberText(text, "state"), state, text);
    }
  }
});

test("a text that is no object, or has no such member of its own, has no member text", () => {
  for (const text of ["null", "[1]", '"state"', "1", "{}", "{ }", '{"a":{"state":1}}', '{"State":1}']) {
    assert.equal(memberText(text, "state"), undefined, text);
  }
  assert.equal(memberText("{}", "constructor"), undefined);
});

test("members and elements come apart as they stand, and put together again are the same", () => {
  assert.deepEqual(
    [...memberTexts(' {"a":1.0, "b" : [1,2] ,"":{}}')].map(({ name, text }) => [name, text]),
    [
      ["a", "1.0"],
      ["b", "[1,2]"],
      ["", "{}"],
    ],
  );
  assert.deepEqual(
    [...elementTexts(' [ 1e400 ,"],", [ [ ] ], {"a":"]"}] ')],
    ["1e400", '"],"', "[ [ ] ]", '{"a":"]"}'],
  );
  for (const text of ["{}", "[]", "[ ]", "1"]) assert.deepEqual([...elementTexts(text)], []);
});

test("an integer that JavaScript would round is a bigint, and one that a number holds stays a number", () => {
  const exact = (text: string) => parseExactJson(text);
  assert.equal(exact("9007199254740993"), 9_007_199_254_740_993n);
  assert.deepEqual(exact('{"a":[-9223372036854775807,1.5]}'), { a: [-9_223_372_036_854_775_807n, 1.5] });
  assert.equal(exact("-9223372036854775808"), -(2 ** 63));
  assert.equal(exact("9007199254740993.0"), 9_007_199_254_740_993n);
  assert.equal(exact("9007199254740992"), 2 ** 53);
  assert.equal(exact("100000000000000000"), exact("1e17"));
  assert.equal(exact("1".repeat(400)), BigInt("1".repeat(400)));
  assert.equal(exact("9007199254740991"), 9_007_199_254_740_991);
  assert.equal(exact('"9007199254740993"'), "9007199254740993");
  assert.equal(exact("0.1000000000000000055511151231257827"), 0.1);
  assert.equal(exact("10000000000000000e1"), 1e17);
  assert.throws(() => exact("9007199254740993,"));
});

test("an own member named __proto__ stays one when numbers are read exactly", () => {
  const value = parseExactJson('{"__proto__":{"x":9007199254740993}}');
  assert.ok(typeof value === "object" && value !== null);
  assert.deepEqual(Object.keys(value), ["__proto__"]);
});

test("JSON in which brackets stand in a thousand others is too deep, and a text with as many brackets is no JSON", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.ok(Array.isArray(parseExactJson(nested(JSON_DEPTH_MAX))));
  assert.throws(() => parseExactJson(nested(JSON_DEPTH_MAX + 1)), JsonTooDeep);
  assert.throws(() => parseExactJson(`{"a":${nested(1_000_000)}}`), JsonTooDeep);
  for (const text of ["[31m red [0m".repeat(2_000), "[".repeat(2_000), nested(2_000).slice(1)]) {
    assert.throws(() => parseExactJson(text), SyntaxError);
  }
});
