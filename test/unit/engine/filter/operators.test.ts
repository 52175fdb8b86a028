import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testPattern } from "../../../../src/engine/filter/test-pattern.ts";

type Row = readonly [name: string, pattern: object, event: object, expected: boolean];

function table(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    for (const [name, pattern, event, expected] of rows) {
      test(`${name}: ${expected ? "matches" : "does not match"}`, () => {
        assert.equal(testPattern(JSON.stringify(pattern), JSON.stringify(event)), expected);
      });
    }
  });
}

/** One field `a` with these match rules, on an event whose `a` is the value. */
function field(name: string, tests: readonly unknown[], value: unknown, expected: boolean): Row {
  return [name, { a: tests }, value === undefined ? { other: 1 } : { a: value }, expected];
}

table("exact values", [
  field("string", ["x"], "x", true),
  field("string_NEG: another case", ["x"], "X", false),
  field("string_empty", [""], "", true),
  field("an empty string is not null", [""], null, false),
  field("number", [300], 300, true),
  field("number_comparison_float: 300 and 300.0", [300], 300.0, true),
  field("exponent form", [3.018e2], 301.8, true),
  field("a number is not its text", [300], "300", false),
  field("a text is not its number", ["300"], 300, false),
  field("boolean", [true], true, true),
  field("boolean_NEG", [true], false, false),
  field("a boolean is not its text", [true], "true", false),
  field("null_value", [null], null, true),
  field("null_value_NEG: absent", [null], undefined, false),
  field("null is not the text null", [null], "null", false),
  field("any of several", ["x", 1, null], 1, true),
  field("none of several", ["x", 1, null], 2, false),
  field("zero and minus zero", [0], -0, true),
  field("exactly", [{ exactly: "x" }], "x", true),
  field("an object is no value", ["x"], { x: "x" }, false),
]);

table("prefix, suffix, equals-ignore-case", [
  field("prefix", [{ prefix: "us-" }], "us-east-1", true),
  field("prefix_NEG", [{ prefix: "us-" }], "eu-west-1", false),
  field("the whole text is a prefix", [{ prefix: "us" }], "us", true),
  field("a shorter text has no such prefix", [{ prefix: "us-" }], "us", false),
  field("an empty prefix fits every string", [{ prefix: "" }], "", true),
  field("an empty prefix fits no number", [{ prefix: "" }], 5, false),
  field("content_prefix_ignorecase", [{ prefix: { "equals-ignore-case": "EventB" } }], "eventbridge", true),
  field("prefix ignore-case_NEG", [{ prefix: { "equals-ignore-case": "EventB" } }], "event", false),
  field("suffix", [{ suffix: ".png" }], "a.png", true),
  field("suffix_NEG", [{ suffix: ".png" }], "a.png.txt", false),
  field("an empty suffix fits every string", [{ suffix: "" }], "x", true),
  field("content_suffix_ignorecase", [{ suffix: { "equals-ignore-case": ".PNG" } }], "a.pNg", true),
  field("content_ignorecase", [{ "equals-ignore-case": "alice" }], "ALICE", true),
  field("content_ignorecase_NEG", [{ "equals-ignore-case": "alice" }], "ALICE!", false),
  field("content_ignorecase_empty", [{ "equals-ignore-case": "" }], "", true),
  field("content_ignorecase_empty_NEG", [{ "equals-ignore-case": "" }], "x", false),
  field("ignores the case of letters beyond ASCII", [{ "equals-ignore-case": "ÉÀж" }], "éàЖ", true),
  field(
    "many prefixes, one fits",
    ["ab", "ac", "b", "abc"].map((prefix) => ({ prefix })),
    "acme",
    true,
  ),
  field(
    "many prefixes, none fits",
    ["ab", "ac", "b", "abc"].map((prefix) => ({ prefix })),
    "adb",
    false,
  ),
  field(
    "many suffixes, one fits",
    ["ab", "cb", "z"].map((suffix) => ({ suffix })),
    "xcb",
    true,
  ),
  field("a number has no prefix", [{ prefix: "1" }], 12, false),
]);

table("wildcard", [
  field(
    "content_wildcard_repeating",
    [{ wildcard: "/Users/*/dir/dir/dir/dir/dir/doc.txt" }],
    "/Users/x/y/dir/dir/dir/dir/dir/doc.txt",
    true,
  ),
  field(
    "content_wildcard_repeating_NEG",
    [{ wildcard: "/Users/*/dir/dir/dir/dir/dir/doc.txt" }],
    "/Users/x/dir/dir/dir/dir/doc.txt",
    false,
  ),
  field("content_wildcard_nonrepeating", [{ wildcard: "*/Users/*" }], "/home/Users/a", true),
  field("a * may be empty", [{ wildcard: "a*b" }], "ab", true),
  field("beginning and end may not overlap", [{ wildcard: "aba*aba" }], "ababa", false),
  field("* fits the empty string", [{ wildcard: "*" }], "", true),
  field("* fits no number", [{ wildcard: "*" }], 1, false),
  field("content_wildcard_empty fits the empty string", [{ wildcard: "" }], "", true),
  field("content_wildcard_empty fits nothing else", [{ wildcard: "" }], "a", false),
  field("an escaped star is a star", [{ wildcard: "a\\*c" }], "a*c", true),
  field("an escaped star is no wildcard", [{ wildcard: "a\\*c" }], "abc", false),
  field("an escaped backslash, then a wildcard", [{ wildcard: "a\\\\*" }], "a\\b", true),
  field("a piece that overlaps itself", [{ wildcard: "*aab*c" }], "aaaabxc", true),
  field("a piece that begins within a failed one", [{ wildcard: "*aab*c" }], "aaabxc", true),
  field("pieces in order only", [{ wildcard: "*b*a*" }], "ab", false),
  field("? and [ are plain", [{ wildcard: "?[a]*" }], "?[a]b", true),
]);

table("anything-but", [
  field("content_anything_but_string", [{ "anything-but": "x" }], "y", true),
  field("content_anything_but_string_NEG", [{ "anything-but": "x" }], "x", false),
  field("content_anything_but_string_missing_NEG", [{ "anything-but": "x" }], undefined, false),
  field("content_anything_but_string_null", [{ "anything-but": "x" }], null, true),
  field("content_anything_but_number", [{ "anything-but": 123 }], 124, true),
  field("content_anything_but_number_NEG", [{ "anything-but": 123 }], 123.0, false),
  field("content_anything_but_number_zero", [{ "anything-but": 0 }], 1, true),
  field("a number against texts", [{ "anything-but": ["1", "2"] }], 1, true),
  field("content_anything_but_string_list", [{ "anything-but": ["a", "b"] }], "c", true),
  field("content_anything_but_string_list_NEG", [{ "anything-but": ["a", "b"] }], "b", false),
  field("content_anything_but_number_list_NEG", [{ "anything-but": [1, 2] }], 2, false),
  field("content_anything_but_ignorecase", [{ "anything-but": { "equals-ignore-case": "init" } }], "x", true),
  field(
    "content_anything_but_ignorecase_NEG",
    [{ "anything-but": { "equals-ignore-case": "init" } }],
    "INIT",
    false,
  ),
  field(
    "content_anything_but_ignorecase_list_NEG",
    [{ "anything-but": { "equals-ignore-case": ["a", "b"] } }],
    "B",
    false,
  ),
  field("content_anything_prefix", [{ "anything-but": { prefix: "init" } }], "x", true),
  field("content_anything_prefix_NEG", [{ "anything-but": { prefix: "init" } }], "initial", false),
  field("content_anything_prefix_int_value", [{ "anything-but": { prefix: "1" } }], 123, true),
  field("content_anything_prefix_list_NEG", [{ "anything-but": { prefix: ["a", "b"] } }], "bx", false),
  field("content_anything_prefix_null", [{ "anything-but": { prefix: "init" } }], null, true),
  field("content_anything_prefix_missing_NEG", [{ "anything-but": { prefix: "init" } }], undefined, false),
  field("content_anything_suffix_NEG", [{ "anything-but": { suffix: ".txt" } }], "a.txt", false),
  field("content_anything_wildcard_NEG", [{ "anything-but": { wildcard: "*/dir/*" } }], "a/dir/b", false),
  field(
    "content_anything_wildcard_list",
    [{ "anything-but": { wildcard: ["*/a/*", "*/b/*"] } }],
    "/c/",
    true,
  ),
  field("content_anything_wildcard_empty", [{ "anything-but": { wildcard: "" } }], "x", true),
  field("several are alternatives", [{ "anything-but": "a" }, { "anything-but": "b" }], "a", true),
  field(
    "several fail for what all exclude",
    [{ "anything-but": ["a", "b"] }, { "anything-but": ["b", "c"] }],
    "b",
    false,
  ),
  field(
    "a text and a number exclude nothing together",
    [{ "anything-but": "a" }, { "anything-but": 1 }],
    "a",
    true,
  ),
  field("an empty array has no value", [{ "anything-but": "a" }], [], false),
]);

table("numeric", [
  field("equal", [{ numeric: ["=", 5] }], 5.0, true),
  field("less", [{ numeric: ["<", 5] }], 5, false),
  field("less or equal", [{ numeric: ["<=", 5] }], 5, true),
  field("greater", [{ numeric: [">", 5] }], 5, false),
  field("greater or equal", [{ numeric: [">=", 5] }], 5, true),
  field("range, above its open low end", [{ numeric: [">", 0, "<=", 5] }], 0.001, true),
  field("range, at its open low end", [{ numeric: [">", 0, "<=", 5] }], 0, false),
  field("range, at its closed high end", [{ numeric: [">", 0, "<=", 5] }], 5, true),
  field("range, at its open high end", [{ numeric: [">=", 0, "<", 5] }], 5, false),
  field("numeric-string_NEG", [{ numeric: [">", 0] }], "5", false),
  field("numeric-null_NEG", [{ numeric: ["=", 0] }], null, false),
  field("negative numbers", [{ numeric: ["<", -1.5] }], -2, true),
  field("beyond 5e9", [{ numeric: [">", 5e9] }], 6e15, true),
  field(
    "many ranges, between two",
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ].map(([a, b]) => ({ numeric: [">", a, "<", b] })),
    4.5,
    false,
  ),
  field(
    "many ranges, in the middle one",
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ].map(([a, b]) => ({ numeric: [">", a, "<", b] })),
    3.5,
    true,
  ),
  field("two open ends that meet", [{ numeric: [">", 1, "<", 2] }, { numeric: [">", 2, "<", 3] }], 2, false),
  field(
    "a closed end that meets an open one",
    [{ numeric: [">", 1, "<=", 2] }, { numeric: [">", 2, "<", 3] }],
    2,
    true,
  ),
  field(
    "a point between ranges",
    [{ numeric: [">", 1, "<", 2] }, { numeric: ["=", 2] }, { numeric: [">", 2] }],
    2,
    true,
  ),
  field("overlapping ranges", [{ numeric: [">", 1, "<", 9] }, { numeric: [">", 2, "<", 3] }], 5, true),
  field("or-numeric-anything-but", [{ numeric: [">", 100] }, { "anything-but": "101" }], "42", true),
  field("or-numeric-anything-but_NEG", [{ numeric: [">", 100] }, { "anything-but": "101" }], "101", false),
]);

table("exists", [
  field("content_exists", [{ exists: true }], "x", true),
  field("null exists", [{ exists: true }], null, true),
  field("content_exists_NEG", [{ exists: true }], undefined, false),
  field("content_exists_false", [{ exists: false }], undefined, true),
  field("content_exists_false_NEG", [{ exists: false }], 0, false),
  field("an object does not exist as a leaf", [{ exists: true }], { b: 1 }, false),
  field("an object is absent as a leaf", [{ exists: false }], { b: 1 }, true),
  field("exists_list_empty", [{ exists: false }], [], true),
  field("exists_list_empty_NEG", [{ exists: true }], [], false),
  field("arrays of nothing are absent", [{ exists: false }], [[], [[]], {}], true),
  field("a value in nested arrays exists", [{ exists: true }], [[[1]]], true),
  ["below a missing parent", { a: { b: [{ exists: false }] } }, { c: 1 }, true],
  ["below a parent that is a value", { a: { b: [{ exists: false }] } }, { a: "x" }, true],
  [
    "exists_dynamodb",
    { dynamodb: { NewImage: { k: [{ exists: false }] } } },
    { dynamodb: { NewImage: { k: { S: "x" } } } },
    true,
  ],
  field("or-exists: absent or a value", [{ exists: false }, "x"], "x", true),
  field("or-exists: absent", [{ exists: false }, "x"], undefined, true),
  field("or-exists: another value", [{ exists: false }, "x"], "y", false),
  field("or-anything-but: absent", [{ "anything-but": "x" }, { exists: false }], undefined, true),
  field("operator_multiple_list", [{ prefix: "a" }, { numeric: ["=", 1] }, null], null, true),
]);

table("cidr", [
  field("content_ip_address", [{ cidr: "10.0.0.0/24" }], "10.0.0.255", true),
  field("content_ip_address_NEG", [{ cidr: "10.0.0.0/24" }], "10.0.1.0", false),
  field("host bits of the block do not count", [{ cidr: "10.0.0.9/24" }], "10.0.0.1", true),
  field("every IPv4 address", [{ cidr: "0.0.0.0/0" }], "255.255.255.255", true),
  field("a bad address", [{ cidr: "0.0.0.0/0" }], "256.1.1.1", false),
  field("content_ip_address_bad_type_NEG", [{ cidr: "0.0.0.0/0" }], 5, false),
  field("text around an address", [{ cidr: "0.0.0.0/0" }], "1.2.3.4 ", false),
  field("three octets", [{ cidr: "0.0.0.0/0" }], "1.2.3", false),
  field("content_ip_address_v6", [{ cidr: "2001:db8:1234:1a00::/64" }], "2001:0db8:1234:1a00:0:ff::1", true),
  field("content_ip_address_v6_NEG", [{ cidr: "2001:db8:1234:1a00::/64" }], "2001:db8:1234:1a01::", false),
  field("IPv6 at the last bit of the block", [{ cidr: "::/127" }], "::1", true),
  field("IPv6 behind the block", [{ cidr: "::/127" }], "::2", false),
  field("an IPv6 block that cuts a group", [{ cidr: "ffff:8000::/17" }], "FFFF:ffff::", true),
  field("a gap at the end", [{ cidr: "1:2:3:4:5:6:7:0/112" }], "1:2:3:4:5:6:7::", true),
  field("too many groups", [{ cidr: "::/0" }], "1:2:3:4:5:6:7:8:9", false),
  field("a gap for nothing", [{ cidr: "::/0" }], "1:2:3:4::5:6:7:8", false),
  field("two gaps", [{ cidr: "::/0" }], "1::2::3", false),
  field("one colon first", [{ cidr: "::/0" }], ":1:2:3:4:5:6:7", false),
  field("one colon last", [{ cidr: "::/0" }], "1:2:3:4:5:6:7:", false),
  field("too few groups", [{ cidr: "::/0" }], "1:2:3:4:5:6:7", false),
  field("five digits in a group", [{ cidr: "::/0" }], "12345::", false),
  field("an IPv4 address is in no IPv6 block", [{ cidr: "::/0" }], "1.2.3.4", false),
  field("blocks of both kinds", [{ cidr: "::/1" }, { cidr: "10.0.0.0/8" }], "10.1.1.1", true),
]);

table("arrays", [
  ["arrays: any value of the event's array", { a: ["x", "y"] }, { a: ["z", "y"] }, true],
  ["arrays_NEG", { a: ["x", "y"] }, { a: ["z"] }, false],
  ["arrays_empty_null_NEG", { a: [null] }, { a: [] }, false],
  ["nested arrays are flattened", { a: [3] }, { a: [[1, [2, 3]]] }, true],
  ["anything-but holds for one of the values", { a: [{ "anything-but": "x" }] }, { a: ["x", "y"] }, true],
  ["objects in an array stand for the field", { a: { b: ["y"] } }, { a: [{ b: "x" }, { b: "y" }] }, true],
  [
    "Anna Smith is one element",
    { e: { first: ["Anna"], last: ["Smith"] } },
    {
      e: [
        { first: "Anna", last: "Smith" },
        { first: "Peter", last: "Jones" },
      ],
    },
    true,
  ],
  [
    "Anna Jones is not",
    { e: { first: ["Anna"], last: ["Jones"] } },
    {
      e: [
        { first: "Anna", last: "Smith" },
        { first: "Peter", last: "Jones" },
      ],
    },
    false,
  ],
  [
    "nor in arrays of arrays",
    { e: { first: ["Anna"], last: ["Jones"] } },
    { e: [[{ first: "Anna" }], [{ last: "Jones" }]] },
    false,
  ],
  [
    "different arrays are free",
    { a: { x: [1] }, b: { y: [2] } },
    { a: [{ x: 0 }, { x: 1 }], b: [{ y: 2 }, { y: 0 }] },
    true,
  ],
  ["values of one array are free", { a: { x: [1], y: [2] } }, { a: { x: [1, 3], y: [3, 2] } }, true],
  [
    "inner and outer array together",
    { a: { b: { x: [1] }, y: [2] } },
    {
      a: [
        { b: [{ x: 0 }, { x: 1 }], y: 3 },
        { b: [{ x: 0 }], y: 2 },
      ],
    },
    false,
  ],
  [
    "absent where an earlier field chose the element",
    { a: { b: [1], c: [{ exists: false }] } },
    { a: [{ b: 1 }, { c: 1 }] },
    true,
  ],
  [
    "absent before any field chose, but there in another element",
    { a: { b: [{ exists: false }], c: [1] } },
    { a: [{ b: 1 }, { c: 1 }] },
    false,
  ],
  [
    "the same, when another alternative fails first",
    {
      a: {
        $or: [
          { b: [1], c: [9] },
          { a: [{ exists: false }], b: [1] },
        ],
      },
    },
    { a: [{ a: 1, b: 2 }, { b: 1 }] },
    false,
  ],
  ["a field and a field below it", { a: [1], "a.b": [2] }, { a: [1, { b: 2 }] }, true],
  [
    "a field in an inner array and one below in another element",
    { a: [1], "a.b": [2] },
    { a: [[1], { b: 2 }] },
    false,
  ],
]);

table("names and nesting", [
  ["all fields must match", { a: [1], b: [2] }, { a: 1, b: 3 }, false],
  ["other fields do not matter", { a: [1] }, { a: 1, b: 3 }, true],
  ["key_case_sensitive_NEG", { a: [1] }, { A: 1 }, false],
  ["nested_json_NEG: text with JSON in it is text", { a: { b: [1] } }, { a: '{"b":1}' }, false],
  ["dot_joining_pattern", { "a.b": [1] }, { a: { b: 1 } }, true],
  ["dot_joining_event", { a: { b: [1] } }, { "a.b": 1 }, true],
  ["dot_joining, both", { "a.b": { c: [1] } }, { a: { "b.c": 1 } }, true],
  ["dot_joining_NEG", { a: { b: [1] } }, { "a.c": 1, ab: 1 }, false],
  ["one object spelled in two ways", { a: { b: [1], c: [2] } }, { a: { b: 1 }, "a.c": 2 }, true],
  ["a dotted key is there for exists:false", { a: { b: [{ exists: false }] } }, { "a.b": 1 }, false],
  ["names that are numbers", { 1: { 0: ["x"] } }, { 1: { 0: "x" } }, true],
  ["an index does not address an array", { a: { 0: ["x"] } }, { a: ["x"] }, false],
  ["empty names", { "": { "": [1] } }, { ".": 1 }, true],
]);

table("$or", [
  ["complex_or: first", { s: ["x"], $or: [{ a: [1] }, { b: [2] }] }, { s: "x", a: 1 }, true],
  ["complex_or: second", { s: ["x"], $or: [{ a: [1] }, { b: [2] }] }, { s: "x", b: 2 }, true],
  ["complex_or_NEG", { s: ["x"], $or: [{ a: [1] }, { b: [2] }] }, { s: "x", a: 2, b: 1 }, false],
  ["within an object", { d: { $or: [{ a: [1] }, { b: [2] }] } }, { d: { b: 2 } }, true],
  [
    "two of them multiply",
    { $or: [{ a: [1] }, { b: [1] }], d: { $or: [{ a: [1] }, { b: [1] }] } },
    { b: 1, d: { a: 1 } },
    true,
  ],
  [
    "one inside another",
    { $or: [{ a: [1] }, { b: [2], $or: [{ c: [3] }, { d: [4] }] }] },
    { b: 2, d: 4 },
    true,
  ],
  [
    "alternatives keep array elements together",
    { e: { x: [1], $or: [{ y: [2] }, { z: [3] }] } },
    { e: [{ x: 1 }, { y: 2, z: 3 }] },
    false,
  ],
  ["an object makes it a plain name", { $or: { a: [1] } }, { $or: { a: 1 } }, true],
  ["reserved words make it a plain name", { $or: [{ prefix: "a" }, { suffix: "z" }] }, { $or: "xyz" }, true],
  [
    "a later test of a field replaces that of an alternative",
    { $or: [{ a: [1] }, { b: [2] }], a: [3] },
    { a: 1 },
    false,
  ],
  [
    "an alternative's test replaces an earlier one",
    { a: [3], $or: [{ a: [1] }, { b: [2] }] },
    { a: 1 },
    true,
  ],
]);

test("the last of several equal keys counts (complex_multi_key)", () => {
  const pattern = '{"d":{"l":[{"prefix":"us-"}],"l":[{"anything-but":"us-east"}]}}';
  assert.equal(testPattern(pattern, '{"d":{"l":"eu-west"}}'), true);
  assert.equal(testPattern(pattern, '{"d":{"l":"us-east"}}'), false);
  assert.equal(testPattern('{"a":{"b":[1]},"a.b":[2]}', '{"a":{"b":2}}'), true);
});

for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"]) {
  test(`takes "${key}" for a name like any other`, () => {
    const present = `{"${key}":{"${key}":"x"}}`;
    assert.equal(testPattern(`{"${key}":{"${key}":["x"]}}`, present), true);
    assert.equal(testPattern(`{"${key}":{"${key}":["y"]}}`, present), false);
    assert.equal(testPattern(`{"${key}.${key}":["x"]}`, `{"${key}.${key}":"x"}`), true);
    assert.equal(testPattern(`{"${key}":[{"exists":true}]}`, "{}"), false);
    assert.equal(testPattern(`{"${key}":[{"exists":false}]}`, "{}"), true);
    assert.equal(testPattern(`{"${key}":{"name":[{"exists":true}]}}`, "{}"), false);
    assert.equal(testPattern(`{"a":{"${key}":[1],"b":[1]}}`, `{"a":[{"b":1},{"${key}":1,"b":1}]}`), true);
  });
}
