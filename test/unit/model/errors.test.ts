import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeError,
  ERROR_CODES,
  FAULTS,
  faultOf,
  isPassingFault,
  MillraceError,
} from "../../../src/model/errors.ts";

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

test("what waiting can help is told from what only a change can help", () => {
  const isPassing = (fault: (typeof FAULTS)[number]) =>
    isPassingFault(new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "It failed.", { fault }));
  assert.deepEqual(FAULTS.filter(isPassing), ["passing", "throttled", "clock", "credentialsExpired"]);
});

test("an error whose fault nobody named has that of its code", () => {
  const passing = ERROR_CODES.filter((code) => isPassingFault(new MillraceError(code, "It failed.")));
  assert.deepEqual(passing, [
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    "ERR_MILLRACE_SOURCE_THROTTLED",
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    "ERR_MILLRACE_API_UNAVAILABLE",
    "ERR_MILLRACE_CLUSTER_UNAVAILABLE",
    "ERR_MILLRACE_ABORTED",
  ]);
  assert.equal(faultOf(new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "It is gone.")), "notFound");
});

test("what is not ours is a defect, which no waiting helps", () => {
  for (const thrown of [new TypeError("x is undefined"), "a text", undefined]) {
    assert.equal(faultOf(thrown), "defect");
    assert.equal(isPassingFault(thrown), false);
  }
});
