import assert from "node:assert/strict";
import { test } from "node:test";
import { describeError, MillraceError } from "../../../src/model/errors.ts";

const NOT_CONVERTIBLE: readonly (readonly [name: string, thrown: unknown])[] = [
  ["an object whose toString is no function", { toString: "not a function" }],
  ["an object without a prototype", Object.create(null)],
  ["an object whose toString throws", { toString: () => assert.fail() }],
];

test("an error is described by its message, one of ours with its code", () => {
  assert.equal(describeError(new TypeError("no such thing")), "no such thing");
  const own = new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "Too many calls.");
  assert.equal(describeError(own), "ERR_MILLRACE_SOURCE_THROTTLED: Too many calls.");
  assert.equal(describeError("just a text"), "just a text");
});

for (const [name, thrown] of NOT_CONVERTIBLE) {
  test(`describing ${name} does not throw`, () => {
    assert.equal(describeError(thrown), "something that is not an error was thrown");
  });
}
