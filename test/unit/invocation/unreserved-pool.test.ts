import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocableFunction } from "../../../src/invocation/invocable-function.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import { API_CALLER } from "../../../src/model/caller.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import { ManualClock, SILENT_TELEMETRY, SUCCEEDED } from "../engine/stream/small-world.ts";

const PATIENCE_MS = 250;

/** Functions whose calls end when a test says so, in one process of an account. */
function createAccount(accountConcurrency: number) {
  const clock = new ManualClock();
  const book = new InvokerBook(clock, SILENT_TELEMETRY, { accountConcurrency });
  const running = new Map<string, ((outcome: InvocationOutcome) => void)[]>();
  const fnOf = (name: string, more: Partial<InvocableFunction> = {}): InvocableFunction => ({
    name,
    target: {
      invoke: () => {
        const { promise, resolve } = Promise.withResolvers<InvocationOutcome>();
        running.set(name, [...(running.get(name) ?? []), resolve]);
        return promise;
      },
      close: async () => {},
    },
    timeoutMs: 3_000,
    concurrency: 1_000,
    ...more,
  });
  const call = (fn: InvocableFunction) =>
    book.invokerOf(fn).invoke({
      caller: API_CALLER,
      requestId: "1",
      functionArn: `arn:aws:lambda:eu-west-1:123456789012:function:${fn.name}`,
      patienceMs: PATIENCE_MS,
      payload: () => Buffer.from("{}"),
      mayStart: () => true,
      signal: new AbortController().signal,
    });
  const runs = (name: string) => running.get(name)?.length ?? 0;
  const end = (name: string) => running.get(name)?.shift()?.(SUCCEEDED);
  const explain = (fn: InvocableFunction) =>
    book.invokerOf(fn).explain(API_CALLER.key, "arn:aws:lambda:eu-west-1:123456789012:function:x");
  return { book, clock, fnOf, call, runs, end, explain };
}

test("functions that reserve nothing share what the account leaves them, each its even part", async () => {
  const { book, clock, fnOf, call, runs, end } = createAccount(6);
  book.reserve(2);
  const [busy, other] = [fnOf("busy"), fnOf("other")];
  for (let each = 0; each < 10; each++) void call(busy);
  const [first, second] = [call(other), call(other)];
  assert.deepEqual([runs("busy"), runs("other")], [4, 0]);
  end("busy");
  end("busy");
  await clock.advance(1);
  assert.deepEqual([runs("busy"), runs("other")], [2, 2]);
  end("other");
  end("other");
  assert.deepEqual([(await first).kind, (await second).kind], ["succeeded", "succeeded"]);
});

test("a call that finds no place of the account is refused for that, and explained so", async () => {
  const { clock, fnOf, call, explain } = createAccount(1);
  const [busy, other] = [fnOf("busy"), fnOf("other")];
  void call(busy);
  const refused = call(other);
  await clock.advance(PATIENCE_MS + 1);
  assert.deepEqual(await refused, { kind: "refused", why: "accountConcurrency" });
  assert.deepEqual(explain(other).account, { limit: 1, running: 1 });
});

test("what a function reserves is its own, whatever others run", async () => {
  const { book, fnOf, call, runs } = createAccount(3);
  book.reserve(2);
  const [busy, reserving] = [fnOf("busy"), fnOf("reserving", { concurrency: 2, isReserved: true })];
  for (let each = 0; each < 5; each++) void call(busy);
  for (let each = 0; each < 5; each++) void call(reserving);
  assert.deepEqual([runs("busy"), runs("reserving")], [1, 2]);
});

test("a function that begins to reserve leaves the shared places to the others", async () => {
  const { book, clock, fnOf, call, runs } = createAccount(2);
  const [first, other] = [fnOf("first"), fnOf("other")];
  for (let each = 0; each < 2; each++) void call(first);
  void call(other);
  assert.deepEqual([runs("first"), runs("other")], [2, 0]);
  book.reserve(1);
  void book.replace({ ...first, concurrency: 1, isReserved: true });
  await clock.advance(1);
  assert.deepEqual([runs("first"), runs("other")], [2, 1]);
});
