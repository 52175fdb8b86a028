import assert from "node:assert/strict";
import { test } from "node:test";
import { FunctionInvoker } from "../../../src/invocation/function-invoker.ts";
import type { InvocableFunction } from "../../../src/invocation/invocable-function.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import { API_CALLER, type Caller } from "../../../src/model/caller.ts";
import type { InvocationOutcome, OutcomeOfRun } from "../../../src/model/outcome.ts";
import type { FunctionTarget } from "../../../src/ports/function-target.ts";
import type { Invocation } from "../../../src/ports/invoker.ts";
import type { Telemetry } from "../../../src/ports/telemetry.ts";
import { ManualClock, SILENT_TELEMETRY } from "../engine/stream/small-world.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:fn";
const PATIENCE_MS = 250;
const MAPPING: Caller = { kind: "mapping", key: "orders" };

/** A function whose calls end when a test says so. */
class Door {
  readonly clock = new ManualClock();
  readonly calls: string[] = [];
  readonly running: ((outcome: InvocationOutcome) => void)[] = [];
  readonly told: string[] = [];
  most = 0;
  readonly fn: InvocableFunction;
  readonly invoker: FunctionInvoker;

  constructor(concurrency: number, more: Partial<InvocableFunction> = {}) {
    const telemetry: Telemetry = {
      ...SILENT_TELEMETRY,
      functionCall: (fn, caller, outcome, _durationMs, waitedMs) =>
        void this.told.push(`${fn} ${caller} ${outcome} ${waitedMs}`),
    };
    this.fn = { name: "fn", target: this.target(""), timeoutMs: 3_000, concurrency, ...more };
    this.invoker = new FunctionInvoker(this.fn, this.clock, telemetry);
  }

  /** Calls of it are noted with the version's mark. */
  target(mark: string): FunctionTarget {
    return {
      invoke: (_payload: Uint8Array, { requestId }: { readonly requestId: string }) => {
        this.calls.push(requestId + mark);
        const { promise, resolve } = Promise.withResolvers<InvocationOutcome>();
        this.running.push(resolve);
        this.most = Math.max(this.most, this.running.length);
        return promise;
      },
      close: async () => {},
    };
  }

  invoke(requestId: string, more: Partial<Invocation> = {}) {
    return this.invoker.invoke({
      caller: MAPPING,
      requestId,
      functionArn: ARN,
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
  assert.deepEqual(door.told, ["fn api refused 250"]);
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

test("how long a call waited for its place is told apart from how long it took", async () => {
  const door = new Door(1);
  void door.invoke("m1");
  const second = door.api("a1");
  await door.clock.advance(100);
  door.endFirst();
  await door.clock.advance(7);
  door.endFirst();
  await second;
  assert.deepEqual(door.told, ["fn mapping succeeded 0", "fn api succeeded 100"]);
});

test("a function whose concurrency is 0 refuses every call at once, those that wait too, and takes calls again when it may", async () => {
  const door = new Door(1, { isReserved: true });
  void door.invoke("m1");
  const [mapping, api] = [door.invoke("m2"), door.api("a1")];
  await door.clock.advance(1);
  void door.invoker.replace({ ...door.fn, concurrency: 0 });
  const refused = { kind: "refused", why: "zeroConcurrency" };
  assert.deepEqual(await Promise.all([mapping, api, door.invoke("m3"), door.api("a2")]), [
    refused,
    refused,
    refused,
    refused,
  ]);
  assert.equal(door.invoker.explain("orders", ARN).shut, "zeroConcurrency");
  door.endFirst();
  await door.clock.advance(0);
  assert.deepEqual(door.calls, ["m1"]);
  assert.deepEqual([door.invoker.taken, door.clock.pendingCalls], [0, 0]);
  void door.invoker.replace(door.fn);
  void door.invoke("m4");
  assert.deepEqual(door.calls, ["m1", "m4"]);
});

test("a function that nobody declares any more refuses its calls, and serves them once it is declared anew", async () => {
  const clock = new ManualClock();
  const book = new InvokerBook(clock, SILENT_TELEMETRY);
  const door = new Door(1);
  const invoker = book.invokerOf(door.fn);
  await book.withdraw("fn");
  const call = { caller: MAPPING, requestId: "1", functionArn: ARN, payload: () => Buffer.from("{}") };
  const asked = { ...call, mayStart: () => true, signal: new AbortController().signal };
  assert.deepEqual(await invoker.invoke(asked), { kind: "refused", why: "noSuchFunction" });
  assert.deepEqual(await book.invokerOf(door.fn).invoke(asked), { kind: "refused", why: "noSuchFunction" });
  void book.replace(door.fn);
  void invoker.invoke(asked);
  assert.deepEqual(door.calls, ["1"]);
});

/** An id whose share is 0 goes to the other version, however small its weight; one of `f`s to the alias's own. */
const OTHER = "00000000-0000-4000-8000-000000000000";
const OWN = "ffffffff-0000-4000-8000-000000000000";

function versioned(weights: ReadonlyMap<string, number>) {
  const door = new Door(1);
  const versions = new Map([
    ["1", door.target(" 1")],
    ["2", door.target(" 2")],
  ]);
  const fn = { ...door.fn, versions, aliases: new Map([["live", { version: "1", weights }]]) };
  void door.invoker.replace(fn);
  return { door, fn };
}

test("the version of an alias is looked up when a call starts, and the outcome says which one ran", async () => {
  const { door, fn } = versioned(new Map([["2", 0.1]]));
  const first = door.invoke(OTHER, { functionArn: `${ARN}:live` });
  const second = door.invoke(OWN, { functionArn: `${ARN}:live` });
  void door.invoker.replace({ ...fn, aliases: new Map([["live", { version: "2", weights: new Map() }]]) });
  door.endFirst();
  assert.deepEqual(await first, { kind: "succeeded", payload: Buffer.from("null"), executedVersion: "2" });
  await door.clock.advance(0);
  door.running.shift()?.({ kind: "timedOut" });
  const { errorId: _errorId, ...timedOut } = (await second) as OutcomeOfRun & { readonly kind: "timedOut" };
  assert.deepEqual(timedOut, { kind: "timedOut", executedVersion: "2" });
  assert.deepEqual(door.calls, [`${OTHER} 2`, `${OWN} 2`]);
});

test("all versions of a function share its concurrency", async () => {
  const { door } = versioned(new Map());
  void door.invoke("1", { functionArn: `${ARN}:1` });
  const refused = door.invoke("2", { functionArn: `${ARN}:2`, patienceMs: PATIENCE_MS });
  await door.clock.advance(PATIENCE_MS + 1);
  assert.equal((await refused).kind, "refused");
  assert.deepEqual(door.calls, ["1 1"]);
});

test("of $LATEST an outcome names no version, and of one that is not there nothing runs", async () => {
  const { door } = versioned(new Map());
  const latest = door.invoke("1");
  door.endFirst();
  assert.ok(!("executedVersion" in (await latest)));
  const missing = door.invoke("2", { functionArn: `${ARN}:9` });
  assert.deepEqual(await missing, { kind: "refused", why: "noSuchFunction" });
});
