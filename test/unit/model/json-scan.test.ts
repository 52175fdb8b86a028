import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isJson } from "../../../src/model/json-check.ts";
import { nestsDeeper, skipSpace, valueEnd } from "../../../src/model/json-scan.ts";

function isParsed(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Pieces that make valid and nearly valid JSON. */
const PIECE = fc.constantFrom(
  ...[
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    '"',
    "\\",
    "\\u",
    "00e9",
    '"a"',
    '"a":',
    "1",
    "-",
    "0",
    "01",
    ".5",
    "e",
    "E+1",
  ],
  ...[
    "true",
    "null",
    "nul",
    " ",
    "\n",
    "\t",
    "\u0001",
    "\u00a0",
    "é",
    "\ufeff",
    "[]",
    "{}",
    '"\\n"',
    '{"b":1}',
  ],
);

test("takes exactly what JSON.parse takes", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(PIECE, { maxLength: 12 }).map((pieces) => pieces.join("")),
        fc.json(),
      ),
      (text) => {
        assert.equal(isJson(Buffer.from(text)), isParsed(text), JSON.stringify(text));
      },
    ),
    { numRuns: 5_000 },
  );
});

test("finds the end of each value where it stands", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom("", " ", "\n"), (value, space) => {
      for (const close of ["]", ",1]", "}"]) {
        assert.equal(valueEnd(`[${value}${space}${close}`, 1), value.trimEnd().length + 1);
      }
    }),
  );
});

test("a text of any depth is looked at", () => {
  for (const [open, close] of [
    ["[", "]"],
    ['{"a":', "}"],
    ['[{"a":[', "]}]"],
  ] as const) {
    const depth = 1_000_000;
    assert.ok(isJson(Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`)));
    assert.ok(!isJson(Buffer.from(`${open.repeat(depth)}1${close.repeat(depth - 1)}`)));
    assert.ok(!isJson(Buffer.from(open.repeat(depth))));
  }
});

test("brackets in texts are no brackets", () => {
  assert.ok(!nestsDeeper(`["[[[[\\"[[[", [[1]], "]"]`, 3));
  assert.ok(nestsDeeper(`["]]]", [[1]]]`, 2));
  assert.equal(skipSpace(" \t\r\n x", 0), 5);
});
