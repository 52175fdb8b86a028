import assert from "node:assert/strict";
import { test } from "node:test";
import { errorBodyOf } from "../../../src/model/error-body.ts";

const CALL = { requestId: "id-1", timeoutMs: 3_000 };
const FAILED = { kind: "functionError", errorType: "Runtime.HandlerNotFound", message: "missing" } as const;

test("a start that failed before any frame ran has an empty stack and no request, as Python's client says it", () => {
  const detail = { stackMember: "stackTrace", requestIdMember: "empty" } as const;
  const body = JSON.stringify(errorBodyOf({ ...FAILED, detail }, CALL));
  const expected =
    '{"errorMessage":"missing","errorType":"Runtime.HandlerNotFound","requestId":"","stackTrace":[]}';
  assert.equal(body, expected);
});

test("a body without a stack has none", () => {
  const body = errorBodyOf({ ...FAILED, detail: { logTail: "printed" } }, CALL);
  assert.deepEqual(body, { errorMessage: "missing", errorType: "Runtime.HandlerNotFound" });
});
