import assert from "node:assert/strict";
import { test } from "node:test";
import {
  filledInputTemplate,
  isTemplateFault,
  type PipeVariables,
  readInputTemplate,
} from "../../../src/model/input-template.ts";

const VARIABLES: PipeVariables = {
  "pipe-name": "orders",
  "event.ingestion-time": "2026-01-31T00:00:00.000Z",
};

function filled(template: string, record: unknown, charsMax = 10_000): string | undefined {
  const text = typeof record === "string" ? record : JSON.stringify(record);
  const read = readInputTemplate(template);
  if (isTemplateFault(read)) return assert.fail(read.problem);
  const data = { body: "json", data: "base64" } as const;
  return filledInputTemplate(read, text, { data, variables: VARIABLES, charsMax });
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

const FILLED: readonly (readonly [title: string, template: string, record: unknown, expected: string])[] = [
  ["a path outside of quotation marks is JSON", '{"a":<$.x>}', { x: { y: [1] } }, '{"a":{"y":[1]}}'],
  ["a text outside of quotation marks has its own", '{"a":<$.x>}', { x: 'b"c' }, '{"a":"b\\"c"}'],
  ["a text within them stands as it is", '{"a":"<$.x>!"}', { x: 'b"c\n' }, '{"a":"b\\"c\\n!"}'],
  ["an object within them is its JSON text", '{"a":"<$.x>"}', { x: { y: 1 } }, '{"a":"{\\"y\\":1}"}'],
  ["what is not there is null", '{"a":<$.x.y>,"b":"<$.z>"}', { x: 1 }, '{"a":null,"b":""}'],
  ["a text is made one of JSON", "Hello <$.x>, <$.n>", { x: 'a"b', n: 2 }, '"Hello a\\"b, 2"'],
  ["a text in quotation marks is JSON", '"Hello <$.x>"', { x: "a" }, '"Hello a"'],
  ["a path of elements and quoted names", "[<$.x[1]['a b']>]", { x: [0, { "a b": 5 }] }, "[5]"],
  ["JSON in a body is read", '{"a":<$.body.x>}', { body: '{"x":[1]}' }, '{"a":[1]}'],
  ["JSON in base64 is read", '{"a":<$.data.x>}', { data: base64({ x: 7 }) }, '{"a":7}'],
  ["base64 of anything else stays", '{"a":<$.data>}', { data: base64("text") }, `{"a":"${base64("text")}"}`],
  ["a body that is a number stays a text", '{"a":<$.body>}', { body: "12" }, '{"a":"12"}'],
  ["a name that all objects have is not there", '{"a":<$.constructor>}', { b: 1 }, '{"a":null}'],
  [
    "the record itself, in quotation marks",
    '{"a":"<aws.pipes.event>"}',
    { x: "y" },
    '{"a":"{\\"x\\":\\"y\\"}"}',
  ],
  [
    "the record with its data",
    '{"a":<aws.pipes.event.json>}',
    { id: 1, body: '{"x":2}' },
    '{"a":{"id":1,"body":{"x":2}}}',
  ],
  ["names of the pipe", '["<aws.pipes.pipe-name>"]', {}, '["orders"]'],
  ["the time", "[<aws.pipes.event.ingestion-time>]", {}, '["2026-01-31T00:00:00.000Z"]'],
  ["an ARN that there is not", "[<aws.pipes.enrichment-arn>]", {}, "[null]"],
  ["a value that looks like a placeholder is none", '["<$.x>"]', { x: "<$.y>", y: 1 }, '["<$.y>"]'],
  ["brackets that are no placeholder stand as they are", '{"a":"<b> 1 < 2"}', {}, '{"a":"<b> 1 < 2"}'],
];

for (const [title, template, record, expected] of FILLED) {
  test(`a template: ${title}`, () => assert.equal(filled(template, record), expected));
}

test("numbers go through a template digit by digit", () => {
  const record = '{"id":12345678901234567890,"x":1e400,"body":"{\\"n\\":0.10000000000000000001}"}';
  assert.equal(
    filled("[<$.id>,<$.x>,<$.body.n>]", record),
    "[12345678901234567890,1e400,0.10000000000000000001]",
  );
});

test("a template that would grow beyond what a function takes is not filled", () => {
  const template = `[${Array.from({ length: 100 }, () => "<aws.pipes.event>").join(",")}]`;
  assert.equal(filled(template, { x: "y".repeat(200) }), undefined);
});

const REFUSED: readonly (readonly [title: string, template: string, problem: RegExp])[] = [
  ["a path with a wildcard", '{"a":<$.x[*]>}', /is no path/],
  ["a path that breaks off", '{"a":<$.x.>}', /is no path/],
  ["a name that there is not", '{"a":<aws.pipes.secret>}', /there is not/],
  ["the record as JSON in quotation marks", '{"a":"<aws.pipes.event.json>"}', /within quotation marks/],
  ["JSON that breaks off", '{"a":<$.x>', /no JSON/],
  ["a placeholder in the place of a key", "{<$.x>:1}", /no JSON/],
  ["placeholders that would run together", "[<$.x><$.y>]", /no JSON/],
  ["a placeholder behind a digit", "[1<$.x>]", /no JSON/],
  ["a placeholder behind a backslash", '["\\<$.x>"]', /no JSON/],
];

for (const [title, template, problem] of REFUSED) {
  test(`a template is refused: ${title}`, () => {
    const read = readInputTemplate(template);
    assert.ok(isTemplateFault(read));
    assert.match(read.problem, problem);
  });
}
