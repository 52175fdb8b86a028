import assert from "node:assert/strict";
import { test } from "node:test";
import { callAws, OPENING } from "../../../src/aws/call.ts";

const NEVER = new AbortController().signal;
const QUICK = { timeoutMs: 10_000, retry: { ...OPENING.retry, pauseMs: 1, tries: 4, again: () => true } };

function refusals(count: number, error: Error) {
  const state = { sent: 0 };
  const send = async () => {
    if (state.sent++ < count) throw error;
    return "answer";
  };
  return { state, send };
}

function answered(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error("no"), { name, $metadata: { httpStatusCode } });
}

test("a call is sent once, however it fails", async () => {
  const { state, send } = refusals(1, answered("ThrottlingException", 400));
  await assert.rejects(callAws(NEVER, { timeoutMs: 10_000 }, send), { name: "ThrottlingException" });
  assert.equal(state.sent, 1);
});

test("an opening is tried again after a throttle, a failure of the service and one of the network", () => {
  const { retry } = OPENING;
  for (const [error, isWorth] of [
    [answered("LimitExceededException", 400), true],
    [answered("ServiceUnavailable", 503), true],
    [Object.assign(new Error("reset"), { code: "ECONNRESET" }), true],
    [answered("AccessDeniedException", 400), false],
    [answered("ResourceNotFoundException", 400), false],
    [answered("UnrecognizedClientException", 400), false],
  ] as const) {
    assert.equal(retry?.again(error), isWorth, error.name);
  }
});

test("tries end, and the last failure is told", async () => {
  const { state, send } = refusals(9, answered("ThrottlingException", 400));
  await assert.rejects(callAws(NEVER, QUICK, send), { name: "ThrottlingException" });
  assert.equal(state.sent, 4);
});

test("what works at the last try is an answer", async () => {
  const { send } = refusals(3, answered("ThrottlingException", 400));
  assert.equal(await callAws(NEVER, QUICK, send), "answer");
});

test("a call that hangs ends at its deadline, and so does its request", async () => {
  let request: AbortSignal | undefined;
  const send = (signal: AbortSignal) => {
    request = signal;
    return new Promise<never>(() => {});
  };
  await assert.rejects(callAws(NEVER, { timeoutMs: 5 }, send), { name: "TimeoutError" });
  assert.equal(request?.aborted, true);
});

test("an abort ends a call at once, also between two tries", async () => {
  const abort = new AbortController();
  const reason = new Error("stop");
  const { state, send } = refusals(9, answered("ThrottlingException", 400));
  const slow = { timeoutMs: 100_000, retry: { tries: 4, pauseMs: 100_000, again: () => true } };
  const call = callAws(abort.signal, slow, async () => {
    setImmediate(() => abort.abort(reason));
    return await send();
  });
  await assert.rejects(call, reason);
  assert.equal(state.sent, 1);
  await assert.rejects(callAws(abort.signal, slow, send), reason);
  assert.equal(state.sent, 1);
});
