import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOfInvokeError } from "../../../src/functions/lambda-failure.ts";

const NOW_MS = 1_700_000_000_000;

function outcome(name: string, status?: number, more: object = {}) {
  const metadata = status === undefined ? {} : { $metadata: { httpStatusCode: status } };
  return outcomeOfInvokeError(
    Object.assign(new Error("quoted <secret>"), { name }, metadata, more),
    "f",
    NOW_MS,
  );
}

// Name of the error, HTTP status, what it comes to.
const TABLE = [
  ["TooManyRequestsException", 429, "throttled"],
  ["RequestTooLargeException", 413, "payloadTooLarge"],
  // The same event would be refused again.
  ["InvalidRequestContentException", 400, "functionError"],
  ["RecursiveInvocationException", 400, "functionError"],
  // The function did not run; an operator, or time, mends it.
  ["ResourceNotFoundException", 404, "unavailable"],
  ["AccessDeniedException", 403, "unavailable"],
  ["ExpiredTokenException", 403, "unavailable"],
  ["ResourceConflictException", 409, "unavailable"],
  ["ServiceException", 500, "unavailable"],
  ["ResourceNotReadyException", 502, "unavailable"],
  ["KMSAccessDeniedException", 502, "unavailable"],
  ["GatewayTimeout", 504, "timedOut"],
  // Before the request was on its way.
  ["CredentialsProviderError", undefined, "unavailable"],
  ["TimeoutError", undefined, "unavailable"],
] as const;

for (const [name, status, kind] of TABLE) {
  test(`${name}${status === undefined ? "" : ` (HTTP ${status})`} comes to ${kind}`, () => {
    const result = outcome(name, status);
    assert.equal(result.kind, kind);
    assert.ok(!JSON.stringify(result).includes("secret"), "shows nothing of the service's text");
  });
}

test("a refused connection is unavailable, one that breaks later a function error", () => {
  assert.equal(outcome("Error", undefined, { code: "ECONNREFUSED" }).kind, "unavailable");
  assert.equal(outcome("Error", undefined, { code: "CERT_HAS_EXPIRED" }).kind, "unavailable");
  assert.equal(outcome("Error", undefined, { code: "ECONNRESET" }).kind, "functionError");
});

test("a throttle carries its delay", () => {
  assert.deepEqual(outcome("TooManyRequestsException", 429, { retryAfterSeconds: "3" }), {
    kind: "throttled",
    retryAfterMs: 3000,
  });
});

test("what is not an error object is taken for a lost connection", () => {
  assert.equal(outcomeOfInvokeError(undefined, "f", NOW_MS).kind, "functionError");
  assert.equal(outcomeOfInvokeError("text", "f", NOW_MS).kind, "functionError");
});
