import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  compileFilterCriteria,
  ESM_INVALID_PATTERN,
  validatePattern,
} from "../../../../src/engine/filter/filter.ts";
import { testPattern } from "../../../../src/engine/filter/test-pattern.ts";
import { hasErrorCode } from "../../../../src/model/errors.ts";

const COMPLEX =
  "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character";
const NOT_BUT = "Value of anything-but must be an array or single string/number value.";
const MIXED = "Inside anything but list, either all values are number or string, mixed type is not supported";

/** A field `a` with one match rule, and the text that AWS answers. */
const MATCH_RULES: readonly (readonly [rule: unknown, reason: string])[] = [
  [[1], "Match value must be String, number, true, false, or null"],
  [{}, "Match expression name not found"],
  [{ prefix: "a", suffix: "b" }, "Only one key allowed in match expression"],
  [{ exists: true, prefix: "b" }, "Only one key allowed in match expression"],
  [{ EXISTS: true }, "Unrecognized match type EXISTS"],
  [{ NUMERIC: ["=", 5] }, "Unrecognized match type NUMERIC"],
  [{ constructor: "x" }, "Unrecognized match type constructor"],
  [{ exactly: 1 }, "exact match pattern must be a string"],
  [{ prefix: 123 }, "prefix match pattern must be a string"],
  [{ prefix: ["a"] }, "prefix match pattern must be a string"],
  [{ prefix: {} }, "Prefix expression name not found"],
  [{ prefix: { suffix: "a" } }, "Unsupported prefix pattern: suffix"],
  [{ prefix: { "equals-ignore-case": 1 } }, "equals-ignore-case match pattern must be a string"],
  [{ prefix: { "equals-ignore-case": "a", b: 1 } }, "Only one key allowed in match expression"],
  [{ suffix: 123 }, "suffix match pattern must be a string"],
  [{ suffix: [".png"] }, "suffix match pattern must be a string"],
  [{ suffix: {} }, "Suffix expression name not found"],
  [{ suffix: { prefix: "a" } }, "Unsupported suffix pattern: prefix"],
  [{ "equals-ignore-case": ["a"] }, "equals-ignore-case match pattern must be a string"],
  [{ "equals-ignore-case": { prefix: "a" } }, "equals-ignore-case match pattern must be a string"],
  [{ wildcard: 123 }, "wildcard match pattern must be a string"],
  [{ wildcard: ["a*"] }, "wildcard match pattern must be a string"],
  [{ wildcard: "arn:aws:events:us-east-1:**:event-bus/*" }, "Consecutive wildcard characters at pos 26"],
  [{ wildcard: "abc**def" }, "Consecutive wildcard characters at pos 4"],
  [{ wildcard: "é**" }, "Consecutive wildcard characters at pos 3"],
  [{ wildcard: "a\\b" }, "Invalid escape character at pos 2"],
  [{ wildcard: "ab\\" }, "Invalid escape character at pos 3"],
  [{ wildcard: "*:*:*:*:*:event-bus/*" }, COMPLEX],
  [{ wildcard: `*${"a".repeat(12)}b` }, COMPLEX],
  [{ "anything-but": { wildcard: "*:*:*:*:*:event-bus/*" } }, COMPLEX],
  [{ "anything-but": null }, NOT_BUT],
  [{ "anything-but": true }, NOT_BUT],
  [{ "anything-but": {} }, "Anything-But expression name not found"],
  [{ "anything-but": { exists: true } }, "Unsupported anything-but pattern: exists"],
  [{ "anything-but": ["a", null] }, "Inside anything but list, start|null|boolean is not supported."],
  [{ "anything-but": [true] }, "Inside anything but list, start|null|boolean is not supported."],
  [{ "anything-but": ["a", 1] }, MIXED],
  [{ "anything-but": [] }, MIXED],
  [{ "anything-but": "a", prefix: "b" }, "Too many elements in numeric expression"],
  [{ "anything-but": { prefix: "" } }, "Null prefix/suffix not allowed"],
  [{ "anything-but": { suffix: ["a", ""] } }, "Null prefix/suffix not allowed"],
  [{ "anything-but": { prefix: 123 } }, "prefix/suffix match pattern must be a string"],
  [{ "anything-but": { suffix: [123, ".txt"] } }, "prefix/suffix match pattern must be a string"],
  [{ "anything-but": { prefix: { "equals-ignore-case": "file" } } }, NOT_BUT],
  [{ "anything-but": { suffix: { "equals-ignore-case": "file" } } }, NOT_BUT],
  [
    { "anything-but": { "equals-ignore-case": 123 } },
    "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
  ],
  [{ "anything-but": { wildcard: [123, "*a"] } }, "wildcard match pattern must be a string"],
  [{ "anything-but": { prefix: [] } }, "Empty arrays are not allowed"],
  [{ numeric: 5 }, "Value of numeric must be an array."],
  [{ numeric: [] }, "Invalid member in numeric match: ]"],
  [{ numeric: [5] }, "Invalid member in numeric match: 5"],
  [{ numeric: ["!=", 5] }, "Unrecognized numeric range operator: !="],
  [{ numeric: ["=", "5"] }, "Value of equals must be numeric"],
  [{ numeric: [">"] }, "Value of > must be numeric"],
  [{ numeric: ["<", 5, ">", 1] }, "Too many elements in numeric expression"],
  [{ numeric: [">", 0, ">", 0] }, "Bad numeric range operator: >"],
  [{ numeric: [">", 0, "<"] }, "Value of < must be numeric"],
  [{ numeric: [">", 0, 5] }, "Bad value in numeric range: 5"],
  [{ numeric: [">", 0, "<", 5, "<", 6] }, "Too many terms in numeric range expression"],
  [{ numeric: [">", 5, "<", 5] }, "Bottom must be less than top"],
  [{ exists: "true" }, "exists match pattern must be either true or false."],
  [{ cidr: ["10.0.0.0/8"] }, "prefix match pattern must be a string"],
  [{ cidr: "10.0.0.0" }, "Malformed CIDR, one '/' required"],
  [{ cidr: "10.0.0.0/" }, "Malformed CIDR, one '/' required"],
  [{ cidr: "10.0.0.0/x" }, "Malformed CIDR, mask bits must be an integer"],
  [{ cidr: "10.0.0.0/-1" }, "Malformed CIDR, mask bits must not be negative"],
  [{ cidr: "10.0.0.0/32" }, "IPv4 mask bits must be < 32"],
  [{ cidr: "::/128" }, "IPv6 mask bits must be < 128"],
  [{ cidr: "xx.11.xx/8" }, "Nonstandard IP address: xx.11.xx"],
  [{ cidr: "xxxx:db8:1234:1a00::/64" }, "Nonstandard IP address: xxxx:db8:1234:1a00::"],
  [{ cidr: "300.1.1.1/8" }, "Invalid IP address: 300.1.1.1"],
];

describe("the text for a bad match rule", () => {
  for (const [rule, reason] of MATCH_RULES) {
    const pattern = JSON.stringify({ a: [rule] });
    test(pattern, () => assert.equal(validatePattern(pattern), reason));
  }
});

const PATTERNS: readonly (readonly [pattern: string, reason: string])[] = [
  ['{"int":42}', '"int" must be an object or an array'],
  ['{"string":"my-value"}', '"string" must be an object or an array'],
  ['{"a":{"b":null}}', '"b" must be an object or an array'],
  ['{"resources":[]}', "Empty arrays are not allowed"],
  ["{}", "Empty objects are not allowed"],
  ['{"a":{}}', "Empty objects are not allowed"],
  ['["not","an object"]', "Filter is not an object"],
  ["null", "Filter is not an object"],
  ['"text"', "Filter is not an object"],
  ['{"a":[1e400]}', "Cannot compare number : out of range"],
  ['{"$or":[{"a":[1]}]}', "There must have at least 2 Objects in $or relationship."],
  ['{"$or":[]}', "There must have at least 2 Objects in $or relationship."],
  ['{"$or":[{"a":[1]},"b"]}', "Only JSON object is allowed in array of $or relationship."],
  ['{"$or":[{"a":[1]},{}]}', "Empty objects are not allowed"],
  ['{"$or":5}', '"$or" must be an object or an array'],
  ['{"$or":[{"numeric":123},{"prefix":"abc"}]}', "Value of numeric must be an array."],
  [
    '{"$or":[{"a":{"prefix":["x"]}},{"b":[1]}]}',
    "prefix is Ruler reserved fieldName which cannot be used inside $or.",
  ],
];

describe("the text for a bad pattern", () => {
  for (const [pattern, reason] of PATTERNS) {
    test(pattern, () => assert.equal(validatePattern(pattern), reason));
  }

  test("text that is not JSON", () => {
    assert.match(validatePattern("{'bad': 'quotation'}") ?? "", /^Pattern is not valid JSON \(/);
    assert.match(validatePattern("") ?? "", /^Pattern is not valid JSON \(/);
  });

  test("more than 4096 characters", () => {
    const sized = (size: number): string => `{"a":["${"x".repeat(size - 10)}"]}`;
    assert.equal(sized(4096).length, 4096);
    assert.equal(validatePattern(sized(4096)), undefined);
    assert.match(validatePattern(sized(4097)) ?? "", /too long \(4097 characters, at most 4096\)/);
  });
});

describe("a pattern beyond the bounds", () => {
  const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const nested = (depth: number): string => `${'{"a":'.repeat(depth)}[1]${"}".repeat(depth)}`;

  test("is accepted at the bound and refused behind it, in depth", () => {
    assert.equal(validatePattern(nested(64)), undefined);
    assert.equal(validatePattern(nested(65)), "Rule is too complex - nested deeper than 64 levels");
    assert.equal(validatePattern(nested(600)), "Rule is too complex - nested deeper than 64 levels");
    assert.equal(
      validatePattern(`{"${"a.".repeat(64)}":[1]}`),
      "Rule is too complex - nested deeper than 64 levels",
    );
  });

  test("in the rules that its $or make", () => {
    const or = (count: number): string =>
      JSON.stringify({ $or: range(count).map((i) => ({ [`k${i}`]: [1] })) });
    assert.equal(validatePattern(or(32)), undefined);
    assert.match(
      validatePattern(or(33)) ?? "",
      /^Rule is too complex - its \$or alternatives combine to more than 32 rules/,
    );
    const two = { $or: range(6).map((i) => ({ [`k${i}`]: [1] })) };
    assert.match(validatePattern(JSON.stringify({ a: two, b: two })) ?? "", /^Rule is too complex/);
  });

  test("in costly tests of one field, of which lists of one kind are one", () => {
    const wildcards = (count: number) =>
      range(count).map((i) => ({ wildcard: `${String.fromCharCode(97 + i)}*y` }));
    assert.equal(validatePattern(JSON.stringify({ a: wildcards(6) })), undefined);
    assert.match(
      validatePattern(JSON.stringify({ a: wildcards(7) })) ?? "",
      /^Rule is too complex - more than 6/,
    );
    assert.equal(
      validatePattern(JSON.stringify({ a: range(200).map((i) => ({ prefix: `${i}` })) })),
      undefined,
    );
    assert.equal(
      validatePattern(JSON.stringify({ a: range(100).map((i) => ({ wildcard: `${i}-*` })) })),
      undefined,
    );
  });

  test("in fields that may be absent", () => {
    const absent = (count: number): string =>
      JSON.stringify(Object.fromEntries(range(count).map((i) => [`k${i}`, [{ exists: false }]])));
    assert.equal(validatePattern(absent(32)), undefined);
    assert.match(
      validatePattern(absent(33)) ?? "",
      /^Rule is too complex - more than 32 fields with exists:false/,
    );
  });
});

describe("the error of a bad pattern", () => {
  test("names the pattern, the place, the reason and the remedy", () => {
    const bad = '{"data":{"state":[{"prefix":1}]}}';
    assert.throws(
      () => compileFilterCriteria(['{"a":[1]}', bad], "data"),
      (error: unknown) => {
        assert.ok(hasErrorCode(error, "ERR_MILLRACE_FILTER_PATTERN"));
        assert.equal(
          error.message,
          "Filter pattern 2 of 2 is not valid at data.state: prefix match pattern must be a string. " +
            "Correct the pattern; `millrace test-pattern` tries one against an event.",
        );
        return true;
      },
    );
  });

  test("has one text for callers of the control API", () => {
    assert.equal(ESM_INVALID_PATTERN, "Invalid filter pattern definition.");
  });
});

describe("testPattern", () => {
  test("throws a pattern error for a bad pattern", () => {
    assert.throws(
      () => testPattern('{"a":[]}', "{}"),
      (error: unknown) => hasErrorCode(error, "ERR_MILLRACE_FILTER_PATTERN"),
    );
  });

  for (const event of ["", "{", "[1]", "null", "5", '"x"']) {
    test(`throws for an event that is not a JSON object: ${event}`, () => {
      assert.throws(
        () => testPattern('{"a":[1]}', event),
        (error: unknown) => hasErrorCode(error, "ERR_MILLRACE_CONFIG") && /JSON object/.test(error.message),
      );
    });
  }
});
