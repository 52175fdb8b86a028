import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputLines } from "../../../src/functions/output-lines.ts";

function linesOf(...pieces: readonly string[]): string[] {
  const lines: string[] = [];
  const output = new OutputLines((line) => lines.push(line));
  for (const piece of pieces) output.add(piece);
  output.flush();
  output.flush();
  return lines;
}

test("joins pieces to lines and keeps empty lines", () => {
  assert.deepEqual(linesOf("a", "b\nc\n\nd"), ["ab", "c", "", "d"]);
  assert.deepEqual(linesOf("a\n"), ["a"]);
  assert.deepEqual(linesOf(""), []);
});

test("cuts what never ends", () => {
  const lines = linesOf("x".repeat(20_000), "y".repeat(20_000), "\n");
  assert.ok(lines.every((line) => line.length <= 16_384));
  assert.equal(lines.join("").length, 40_000);
});
