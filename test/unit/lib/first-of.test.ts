import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import {
  Failing,
  firstOf,
  type Interruption,
  whenAborted,
  whenLate,
  whenSettled,
} from "../../../src/lib/first-of.ts";

const NEVER = new Promise<never>(() => {});

test("gives what the work gives, and takes every interruption back", async () => {
  const stop = new AbortController();
  const failing = new Failing();
  let cancelled = 0;
  const clock = { schedule: () => ({ cancel: () => void cancelled++ }) };
  const waits = [whenAborted(stop.signal, () => "aborted"), failing.whenFailed, whenLate(clock, 5, "late")];
  const work = Promise.withResolvers<string>();
  const first = firstOf(work.promise, ...waits);
  assert.deepEqual([getEventListeners(stop.signal, "abort").length, failing.waiting, cancelled], [1, 1, 0]);
  work.resolve("done");
  assert.equal(await first, "done");
  assert.deepEqual([getEventListeners(stop.signal, "abort").length, failing.waiting, cancelled], [0, 0, 1]);
});

test("an abort, a failure or a time that is up ends the wait, and takes the others back", async () => {
  const stop = new AbortController();
  const failing = new Failing();
  const aborted = firstOf(
    NEVER,
    failing.whenFailed,
    whenAborted(stop.signal, () => new Error("aborted")),
  );
  stop.abort();
  await assert.rejects(aborted, /aborted/);
  assert.equal(failing.waiting, 0);
  const failed = firstOf(NEVER, failing.whenFailed);
  failing.fail(new Error("link lost"));
  failing.fail(new Error("said once"));
  await assert.rejects(failed, /link lost/);
  let fire = () => {};
  const clock = {
    schedule: (_: number, call: () => void) => {
      fire = call;
      return { cancel() {} };
    },
  };
  const late = firstOf(NEVER, whenLate(clock, 5, "late"));
  fire();
  assert.equal(await late, "late");
});

test("what has happened before ends the wait at once, and nothing waits for what comes behind it", async () => {
  const failing = new Failing();
  failing.fail(new Error("lost before"));
  let begun = 0;
  const counted: Interruption<never> = () => {
    begun++;
    return () => undefined;
  };
  await assert.rejects(firstOf(NEVER, failing.whenFailed, counted), /lost before/);
  await assert.rejects(
    firstOf(
      NEVER,
      whenAborted(AbortSignal.abort(), () => new Error("aborted before")),
      counted,
    ),
    /aborted before/,
  );
  assert.equal(begun, 0);
  assert.equal(await firstOf(NEVER, whenSettled(Promise.resolve("other"))), "other");
});

test("a failure of the work behind the end of the wait is nobody's unhandled rejection", async () => {
  const work = Promise.withResolvers<never>();
  const stop = new AbortController();
  const wait = firstOf(
    work.promise,
    whenAborted(stop.signal, () => new Error("aborted")),
  );
  stop.abort();
  await assert.rejects(wait, /aborted/);
  work.reject(new Error("later"));
  await assert.rejects(work.promise, /later/);
});
