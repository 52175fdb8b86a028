import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  outcomeOfHead,
  outcomeOfResponse,
  parseRetryAfter,
  RETRY_AFTER_MS_MAX,
  readResponseHead,
} from "../../../src/functions/http-response.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";

const NOW = Date.UTC(2026, 0, 1);

function outcomeOf(status: number, headers: Readonly<Record<string, string>>, body = ""): InvocationOutcome {
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return outcomeOfResponse(readResponseHead(status, byName), Buffer.from(body), NOW, new Map());
}

const failed = (errorType: string, message: string, stack?: string) => {
  return { kind: "functionError", errorType, message, ...(stack === undefined ? {} : { detail: { stack } }) };
};
const noMessage = (status: number) => `The function answered with status ${status} and no error message.`;
const ERROR_HEADER = { "X-Amz-Function-Error": "Unhandled" };
const ERROR_BODY = '{"errorType":"Poison","errorMessage":"bad record"}';

const TABLE: readonly (readonly [string, InvocationOutcome, object])[] = [
  ["any 2xx is a success", outcomeOf(200, {}, "{}"), { kind: "succeeded", payload: Buffer.from("{}") }],
  ["a success may be empty", outcomeOf(204, {}), { kind: "succeeded", payload: Buffer.from("") }],
  ["202 is a success", outcomeOf(202, {}, "null"), { kind: "succeeded", payload: Buffer.from("null") }],
  ["the error header beats 200", outcomeOf(200, ERROR_HEADER, ERROR_BODY), failed("Poison", "bad record")],
  [
    "an error before any frame ran has no stack, as Lambda's body says, and no request",
    outcomeOf(
      200,
      ERROR_HEADER,
      '{"errorType":"Poison","errorMessage":"bad","requestId":"","stackTrace":[]}',
    ),
    { ...failed("Poison", "bad"), detail: { stackMember: "stackTrace", requestIdMember: "empty" } },
  ],
  ["the error header beats 429", outcomeOf(429, ERROR_HEADER, ERROR_BODY), failed("Poison", "bad record")],
  ["the error header beats 503", outcomeOf(503, ERROR_HEADER, ERROR_BODY), failed("Poison", "bad record")],
  [
    "the header's name has no case",
    outcomeOf(200, { "x-AMZ-function-ERROR": "Handled" }),
    failed("Handled", noMessage(200)),
  ],
  [
    "an unreadable error body",
    outcomeOf(200, ERROR_HEADER, "<html>"),
    failed("Unhandled", noMessage(200), "<html>"),
  ],
  [
    "an error body of another shape",
    outcomeOf(200, ERROR_HEADER, '{"errorType":7,"errorMessage":[]}'),
    failed("Unhandled", noMessage(200), '{"errorType":7,"errorMessage":[]}'),
  ],
  ["a null error body", outcomeOf(200, ERROR_HEADER, "null"), failed("Unhandled", noMessage(200), "null")],
  [
    "of an answer that is no error body its first 2 KiB are told",
    outcomeOf(500, {}, "x".repeat(5_000)),
    failed("Function.HttpStatus", noMessage(500), "x".repeat(2_048)),
  ],
  [
    "a stack comes as Node writes it",
    outcomeOf(
      200,
      ERROR_HEADER,
      '{"errorType":"E","errorMessage":"m","trace":["E: m","    at f (a.js:1:2)"]}',
    ),
    { ...failed("E", "m"), detail: { stack: "E: m\n    at f (a.js:1:2)", stackMember: "trace" } },
  ],
  [
    "a stack comes as Python writes it",
    outcomeOf(
      500,
      {},
      '{"errorType":"E","errorMessage":"m","stackTrace":["  File \\"a.py\\", line 1\\n", 7]}',
    ),
    { ...failed("E", "m"), detail: { stack: '  File "a.py", line 1', stackMember: "stackTrace" } },
  ],
  [
    "a stack of Go has frames that are objects, and Python's body names the request",
    outcomeOf(
      500,
      {},
      '{"errorType":"E","errorMessage":"m","requestId":"","stackTrace":[{"path":"a.go", "line":7}]}',
    ),
    {
      ...failed("E", "m"),
      detail: { stack: '{"path":"a.go","line":7}', stackMember: "stackTrace", requestIdMember: "empty" },
    },
  ],
  [
    "a stack may be one text",
    outcomeOf(500, {}, '{"errorType":"E","errorMessage":"m","stackTrace":"at a.B.c(B.java:3)"}'),
    { ...failed("E", "m"), detail: { stack: "at a.B.c(B.java:3)", stackMember: "stackTrace" } },
  ],
  ["429 is a throttle", outcomeOf(429, {}), { kind: "throttled", retryAfterMs: undefined }],
  ["429 with a delay", outcomeOf(429, { "Retry-After": "7" }), { kind: "throttled", retryAfterMs: 7000 }],
  ["413 is a payload too large", outcomeOf(413, {}, ERROR_BODY), { kind: "payloadTooLarge" }],
  ["504 is a time-out", outcomeOf(504, {}), { kind: "timedOut" }],
  ["500 is a function error", outcomeOf(500, {}), failed("Function.HttpStatus", noMessage(500))],
  ["500 may tell its error", outcomeOf(500, {}, ERROR_BODY), failed("Poison", "bad record")],
  ["404 is a function error", outcomeOf(404, {}), failed("Function.HttpStatus", noMessage(404))],
  ["400 is a function error", outcomeOf(400, {}), failed("Function.HttpStatus", noMessage(400))],
  [
    "a redirect is a function error",
    outcomeOf(302, { Location: "http://127.0.0.1/" }),
    failed(
      "Function.HttpStatus",
      "The function answered with status 302; redirects are not followed. Give the final URL.",
    ),
  ],
];

for (const [sentence, outcome, expected] of TABLE) {
  test(`response table: ${sentence}`, () => assert.deepEqual(outcome, expected));
}

for (const status of [502, 503]) {
  test(`response table: ${status} says that the function was not started`, () => {
    assert.equal(outcomeOf(status, {}, ERROR_BODY).kind, "unavailable");
  });
}

test("statuses that need no body are decided by the head, unless the function's own error stands there", () => {
  const decided = [413, 429, 502, 503, 504].map(
    (status) => outcomeOfHead(readResponseHead(status, new Map()), NOW)?.kind,
  );
  assert.deepEqual(decided, ["payloadTooLarge", "throttled", "unavailable", "unavailable", "timedOut"]);
  for (const status of [200, 302, 404, 500]) {
    assert.equal(outcomeOfHead(readResponseHead(status, new Map()), NOW), undefined);
  }
  const head = readResponseHead(503, new Map([["x-amz-function-error", "Unhandled"]]));
  assert.equal(outcomeOfHead(head, NOW), undefined);
});

test("Retry-After is read as seconds or as an HTTP date, within bounds", () => {
  const table: readonly (readonly [string | undefined, number | undefined])[] = [
    ["0", 0],
    [" 12 ", 12_000],
    ["99999999999999999999999", RETRY_AFTER_MS_MAX],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
    ["Fri, 01 Jan 2027 00:00:00 GMT", RETRY_AFTER_MS_MAX],
    ["soon", undefined],
    ["", undefined],
    ["-5x", undefined],
    ["9".repeat(10_000), undefined],
    [undefined, undefined],
  ];
  for (const [header, expected] of table) assert.equal(parseRetryAfter(header, NOW), expected, header);
});

test("any response whatever comes to one outcome with bounded texts", () => {
  const anyBody = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ errorType: fc.anything(), errorMessage: fc.anything() }).map((value) => safeStringify(value)),
  );
  const anyHeaders = fc.dictionary(
    fc.constantFrom("x-amz-function-error", "retry-after", "content-type"),
    fc.string({ maxLength: 500 }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 999 }), anyHeaders, anyBody, (status, headers, body) => {
      const outcome = outcomeOf(status, headers, body);
      if (outcome.kind === "functionError") {
        assert.ok(outcome.errorType.length <= 256 && outcome.message.length <= 2048);
      }
      if (outcome.kind === "throttled" && outcome.retryAfterMs !== undefined) {
        assert.ok(outcome.retryAfterMs >= 0 && outcome.retryAfterMs <= RETRY_AFTER_MS_MAX);
      }
    }),
  );
});

function safeStringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "{";
  }
}
