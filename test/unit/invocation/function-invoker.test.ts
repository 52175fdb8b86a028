import assert from "node:assert/strict";
import { test } from "node:test";
import { FunctionInvoker } from "../../../src/invocation/function-invoker.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import { API_CALLER, type Caller } from "../../../src/model/caller.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { Invocation } from "../../../src/ports/invoker.ts";
import type { Telemetry } from "../../../src/ports/telemetry.ts";
import { ManualClock, SILENT_TELEMETRY } from "../engine/stream/small-world.ts";

const PATIENCE_MS = 250;
const MAPPING: Caller = { kind: "mapping", key: "orders" };

/** A function whose calls end when a test says so. */
class Door {
  readonly clock = new ManualClock();
  readonly calls: string[] = [];
  readonly running: ((outcome: InvocationOutcome) => void)[] = [];
  readonly told: string[] = [];
  most = 0;
  readonly invoker: FunctionInvoker;

  constructor(concurrency: number) {
    const telemetry: Telemetry = {
      ...SILENT_TELEMETRY,
      functionCall: (fn, caller, outcome) => void this.told.push(`${fn} ${caller} ${outcome}`),
    };
    const target = {
      invoke: (_payload: Uint8Array, { requestId }: { readonly requestId: string }) => {
        this.calls.push(requestId);
        const { promise, resolve } = Promise.withResolvers<InvocationOutcome>();
        this.running.push(resolve);
        this.most = Math.max(this.most, this.running.length);
        return promise;
      },
      close: async () => {},
    };
    this.invoker = new FunctionInvoker(
      { name: "fn", target, timeoutMs: 3_000, concurrency },
      this.clock,
      telemetry,
    );
  }

  invoke(requestId: string, more: Partial<Invocation> = {}) {
    return this.invoker.invoke({
      caller: MAPPING,
      requestId,
      functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:fn",
      payload: () => Buffer.from("{}"),
      mayStart: () => true,
      signal: new AbortController().signal,
      ...more,
    });
  }

  api(requestId: string, signal = new AbortController().signal) {
    return this.invoke(requestId, { caller: API_CALLER, patienceMs: PATIENCE_MS, signal });
  }

  endFirst(): void {
    this.running.shift()?.({ kind: "succeeded", payload: Buffer.from("null") });
  }
}

test("a call that finds no place waits for its patience, and is refused then", async () => {
  const door = new Door(1);
  void door.invoke("m1");
  const refused = door.api("a1");
  await door.clock.advance(PATIENCE_MS - 1);
  assert.equal(await Promise.race([refused, "waits"]), "waits");
  await door.clock.advance(2);
  assert.deepEqual(await refused, { kind: "refused", why: "concurrency" });
  assert.deepEqual(door.calls, ["m1"]);
  assert.deepEqual(door.told, ["fn api refused"]);
  assert.equal(door.clock.pendingCalls, 0);
});

test("a place that comes free within its patience is its own, before the next of a caller that has more", async () => {
  const door = new Door(2);
  for (const id of ["m1", "m2", "m3", "m4"]) void door.invoke(id);
  const answered = door.api("a1");
  await door.clock.advance(100);
  door.endFirst();
  await door.clock.advance(0);
  assert.deepEqual(door.calls, ["m1", "m2", "a1"]);
  assert.equal(door.clock.pendingCalls, 0, "its patience is not waited for any more");
  door.endFirst();
  door.endFirst();
  assert.equal((await answered).kind, "succeeded");
});

test("callers of the API and a mapping that never pauses have half of the places each, and never more than there are", async () => {
  const door = new Door(6);
  let stopped = false;
  const counts = { mapping: 0, api: 0 };
  const loop = async (kind: "mapping" | "api") => {
    while (!stopped) {
      const result = kind === "api" ? await door.api("a") : await door.invoke("m");
      if (result.kind === "succeeded") counts[kind]++;
    }
  };
  const loops = [
    ...Array.from({ length: 20 }, () => loop("mapping")),
    ...Array.from({ length: 20 }, () => loop("api")),
  ];
  for (let ended = 0; ended < 600; ended++) {
    door.endFirst();
    await door.clock.advance(1);
  }
  stopped = true;
  while (door.running.length > 0) {
    door.endFirst();
    await door.clock.advance(1);
  }
  await door.clock.advance(PATIENCE_MS);
  await Promise.all(loops);
  assert.equal(door.most, 6);
  assert.ok(counts.api > 250 && counts.mapping > 250, JSON.stringify(counts));
});

test("a caller that hangs up while it waits starts nothing, and leaves its place to others", async () => {
  const door = new Door(1);
  void door.invoke("m1");
  const hungUp = new AbortController();
  const left = door.api("a1", hungUp.signal);
  const next = door.api("a2");
  hungUp.abort();
  assert.deepEqual(await left, { kind: "notStarted" });
  door.endFirst();
  await door.clock.advance(1);
  assert.deepEqual(door.calls, ["m1", "a2"]);
  door.endFirst();
  assert.equal((await next).kind, "succeeded");
});

test("a place is given back when the payload cannot be made, and when the call may not start any more", async () => {
  const door = new Door(1);
  const broken = () => {
    throw new TypeError("no event");
  };
  await assert.rejects(door.invoke("m1", { payload: broken }), /no event/);
  assert.deepEqual(await door.invoke("m2", { mayStart: () => false }), { kind: "notStarted" });
  assert.equal(door.invoker.taken, 0);
});

test("all who ask for a function's door share its places", async () => {
  const clock = new ManualClock();
  const book = new InvokerBook(clock, SILENT_TELEMETRY);
  const fn = {
    name: "fn",
    target: { invoke: () => new Promise<InvocationOutcome>(() => {}), close: async () => {} },
    timeoutMs: 3_000,
    concurrency: 1,
  };
  assert.equal(book.invokerOf(fn), book.invokerOf({ ...fn }));
  assert.notEqual(book.invokerOf(fn), book.invokerOf({ ...fn, name: "other" }));
});
