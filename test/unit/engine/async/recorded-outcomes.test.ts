import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { FAILED, functionNamed, SmallEvents } from "../../../simulation/events/small-events.ts";

const OK = "arn:aws:sqs:us-east-1:000000000000:ok";
const BAD = "arn:aws:sqs:us-east-1:000000000000:bad";
const DEAD = "arn:aws:sqs:us-east-1:000000000000:dead";
const ARN = "arn:aws:lambda:us-east-1:000000000000:function:my-function";
const ROUTES = { onSuccess: OK, onFailure: BAD };
const DEAD_LETTERS = { deadLetters: new Map([["$LATEST", DEAD]]) };
const THROTTLED: InvocationOutcome = { kind: "throttled", retryAfterMs: undefined };

function world(settings: Parameters<typeof functionNamed>[1] = {}) {
  return new SmallEvents([functionNamed("my-function", { config: ROUTES, ...settings })]);
}

/** Records as AWS wrote them (invocation §9.3), member by member and in their order. */
describe("what is told of an asynchronous event's end", () => {
  test("a success, as AWS recorded it", async () => {
    const events = world();
    await events.accept("e4b4", "my-function", { payload: "" });
    await events.pass(1_000);
    const [record] = events.records(OK);
    assert.deepEqual(record, {
      version: "1.0",
      timestamp: "1970-01-01T00:00:00.000Z",
      requestContext: {
        requestId: "e4b4",
        functionArn: `${ARN}:$LATEST`,
        condition: "Success",
        approximateInvokeCount: 1,
      },
      requestPayload: {},
      responseContext: { statusCode: 200, executedVersion: "$LATEST" },
      responsePayload: { done: true },
    });
    assert.deepEqual(Object.keys(record as object), [
      ...["version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload"],
    ]);
  });

  test("a failure after three attempts, as AWS recorded it", async () => {
    const events = world(DEAD_LETTERS);
    events.handler = () => FAILED;
    await events.accept("r1", "my-function", { payload: '{"raise_error":1}' });
    await events.pass(200_000);
    const [{ timestamp, ...record }] = events.records(BAD) as [{ timestamp: string }];
    assert.match(timestamp, /^1970-01-01T00:03:0/);
    assert.deepEqual(record, {
      version: "1.0",
      requestContext: {
        requestId: "r1",
        functionArn: `${ARN}:$LATEST`,
        condition: "RetriesExhausted",
        approximateInvokeCount: 3,
      },
      requestPayload: { raise_error: 1 },
      responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
      responsePayload: {
        errorMessage: "boom",
        errorType: "Exception",
        requestId: "r1",
        stackTrace: ["one", "two"],
      },
    });
    const [dead] = events.delivered.filter(({ uri }) => uri === DEAD);
    assert.deepEqual(dead?.envelope.message?.attributes, {
      RequestID: { type: "String", value: "r1" },
      ErrorCode: { type: "Number", value: "200" },
      ErrorMessage: { type: "String", value: "boom" },
    });
    assert.equal(dead.envelope.message?.text, '{"raise_error":1}', "the event as it is");
    assert.match(
      dead.envelope.name,
      /^aws\/lambda\/async\/my-function\/1970\/01\/01\/1970-01-01T00\.03\.0\d$/,
    );
  });

  test("a success after a failure has count 1", async () => {
    const events = world();
    events.handler = () =>
      events.calls.length === 1 ? FAILED : { kind: "succeeded", payload: Buffer.alloc(0) };
    await events.accept("r1", "my-function");
    await events.pass(100_000);
    const [record] = events.records(OK) as [{ requestContext: object; responsePayload: unknown }];
    assert.deepEqual(record.requestContext, {
      ...{ requestId: "r1", functionArn: `${ARN}:$LATEST`, condition: "Success", approximateInvokeCount: 1 },
    });
    assert.equal(record.responsePayload, null);
    assert.deepEqual(
      events.calls.map(({ requestId }) => requestId),
      ["r1", "r1"],
    );
  });

  test("without reserved concurrency it has no answer, and its dead letter no code", async () => {
    const events = world({ concurrency: 0, isReserved: true, ...DEAD_LETTERS });
    await events.accept("r1", "my-function", { payload: '{"a":1}' });
    await events.pass(1_000);
    const [{ timestamp, ...record }] = events.records(BAD) as [{ timestamp: string }];
    assert.ok(timestamp);
    assert.deepEqual(record, {
      version: "1.0",
      requestContext: {
        requestId: "r1",
        functionArn: `${ARN}:$LATEST`,
        condition: "ZeroReservedConcurrency",
        approximateInvokeCount: 0,
      },
      requestPayload: { a: 1 },
    });
    const [dead] = events.delivered.filter(({ uri }) => uri === DEAD);
    assert.deepEqual(Object.keys(dead?.envelope.message?.attributes ?? {}), ["RequestID", "ErrorMessage"]);
    assert.equal(events.calls.length, 0);
  });

  test("what was throttled until it was too old shows status 429 and count 0", async () => {
    const events = world({ config: { ...ROUTES, maximumEventAgeSeconds: 60 }, ...DEAD_LETTERS });
    events.handler = () => THROTTLED;
    await events.accept("r1", "my-function");
    await events.pass(120_000);
    const [record] = events.records(BAD) as [{ requestContext: object; responseContext: object }];
    assert.deepEqual(record.requestContext, {
      ...{ requestId: "r1", functionArn: `${ARN}:$LATEST`, condition: "EventAgeExceeded" },
      approximateInvokeCount: 0,
    });
    assert.deepEqual(record.responseContext, { statusCode: 429 });
    assert.equal("responsePayload" in record, false);
    const [dead] = events.delivered.filter(({ uri }) => uri === DEAD);
    assert.equal(dead?.envelope.message?.attributes["ErrorCode"]?.value, "429");
    assert.equal(dead?.envelope.message?.attributes["ErrorMessage"]?.value, "Rate Exceeded.");
    assert.ok(events.calls.length > 3, "it was tried while there was time");
  });

  test("a function that is gone shows status 404 and the count of its tries", async () => {
    const events = world();
    events.functions = [
      functionNamed("my-function", {
        config: ROUTES,
        versions: new Map([["1", { kind: "http", url: "http://127.0.0.1:1/" }]]),
        invokeConfigs: new Map([["gone", ROUTES]]),
      }),
    ];
    events.process.look();
    await events.accept("r1", "my-function", { qualifier: "gone" });
    await events.pass(400_000);
    assert.equal(events.process.counts.get("async_events_dropped"), 1);
    const told = events.process.logs.find(({ fields }) => fields["condition"] !== undefined);
    assert.deepEqual([told?.fields["condition"], told?.fields["attempts"]], ["RetriesExhausted", 3]);
  });

  test("a dead letter's message is cut at 1,024 bytes, and half a character is replaced", async () => {
    const events = world({ config: { maximumRetryAttempts: 0 }, ...DEAD_LETTERS });
    events.handler = () => ({ ...FAILED, message: `x${"é".repeat(600)}` }) as InvocationOutcome;
    await events.accept("r1", "my-function");
    await events.pass(1_000);
    const [dead] = events.delivered;
    assert.equal(dead?.envelope.message?.attributes["ErrorMessage"]?.value, `x${"é".repeat(511)}\ufffd`);
  });

  test("with both, the destination and the dead-letter queue are told", async () => {
    const events = world({ config: { ...ROUTES, maximumRetryAttempts: 0 }, ...DEAD_LETTERS });
    events.handler = () => FAILED;
    await events.accept("r1", "my-function");
    await events.pass(1_000);
    assert.deepEqual(events.delivered.map(({ uri }) => uri).toSorted(), [BAD, DEAD]);
  });
});
