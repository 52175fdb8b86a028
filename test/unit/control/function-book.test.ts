import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { FunctionBook } from "../../../src/control/function-book.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import type { FunctionResource } from "../../../src/manifests/resources.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import type { FunctionTarget } from "../../../src/ports/function-target.ts";
import type { Invocation } from "../../../src/ports/invoker.ts";
import type { LogLevel } from "../../../src/ports/telemetry.ts";
import { SILENT_TELEMETRY } from "../engine/stream/small-world.ts";
import { createManualClock } from "../functions/manual-clock.ts";

test("a function opens at its first use, once, and one that nobody declares does not", async () => {
  const { book, log } = createWorld();
  await Promise.all([book.openFunction("orders"), book.openFunction("orders")]);
  assert.deepEqual(log, ["open orders 1"]);
  await assert.rejects(book.openFunction("parcels"), { code: "ERR_MILLRACE_NO_FUNCTION" });
  await book.declare([]);
  await assert.rejects(book.openFunction("orders"), { code: "ERR_MILLRACE_NO_FUNCTION" });
});

test("a function that keeps environments ready opens when it is declared, before anybody calls", async () => {
  const keeping = (environmentsMin: number): FunctionResource => ({
    ...declared(1),
    target: runtimeOf(environmentsMin),
  });
  const none = createWorld();
  await none.book.declare([keeping(0)]);
  await quiet();
  assert.deepEqual(none.log, []);
  const some = createWorld();
  await some.book.declare([keeping(3)]);
  await quiet();
  assert.deepEqual(some.log, ["open orders 0"]);
  const ofVersion = createWorld();
  await ofVersion.book.declare([{ ...keeping(0), versions: new Map([["1", runtimeOf(3)]]) }]);
  await quiet();
  assert.equal(ofVersion.log.length, 2);
});

test("a changed declaration opens anew: calls that run end on the former, which is closed behind the last of them", async () => {
  const { book, log, invoke, finish, declare } = createWorld();
  const first = invoke(await book.openFunction("orders"));
  await quiet();
  await declare(2);
  assert.deepEqual(log, ["open orders 1", "call 1", "open orders 2"]);
  finish(1);
  assert.equal((await first).kind, "succeeded");
  await quiet();
  assert.equal(log.at(-1), "close 1");
  const second = invoke(await book.openFunction("orders"));
  await quiet();
  assert.equal(log.at(-1), "call 2");
  finish(2);
  assert.equal((await second).kind, "succeeded");
});

test("calls that wait for their turn begin on what is declared when it comes", async () => {
  const { book, log, invoke, finish, declare } = createWorld();
  const fn = await book.openFunction("orders");
  const first = invoke(fn);
  const second = invoke(fn);
  await quiet();
  await declare(2);
  finish(1);
  await first;
  await quiet();
  finish(2);
  await second;
  assert.deepEqual(
    log.filter((line) => line.startsWith("call")),
    ["call 1", "call 2"],
  );
});

test("the former of a changed function is closed when no start and no time-out can hold a call any more, also when one never ends", async () => {
  const { book, log, invoke, declare, clock } = createWorld();
  void invoke(await book.openFunction("orders"));
  await quiet();
  await declare(2);
  // Ten seconds of start, three of the function, and one.
  clock.advance(13_999);
  await quiet();
  assert.ok(!log.includes("close 1"));
  clock.advance(1);
  await quiet();
  assert.equal(log.at(-1), "close 1");
});

test("the same declaration opens nothing, and neither does a change of what nobody uses", async () => {
  const { book, log, declare } = createWorld();
  await declare(2);
  await book.openFunction("orders");
  await declare(2);
  assert.deepEqual(log, ["open orders 2"]);
});

for (const order of [
  [2, 3],
  [3, 2],
]) {
  test(`of declarations that come while one opens the last is in force, when ${order[0]} is open first`, async () => {
    const { book, log, declare, held } = createWorld();
    await book.openFunction("orders");
    const release = new Map<number, () => void>();
    for (const state of order) held.set(state, new Promise((resolve) => release.set(state, resolve)));
    const [two] = [declare(2), await quiet()];
    const [three] = [declare(3), await quiet()];
    for (const state of order) {
      release.get(state)?.();
      await quiet();
    }
    held.clear();
    await Promise.all([two, three]);
    const { target } = await book.openFunction("orders");
    await target.close();
    assert.equal(log.at(-1), "close 3", log.join());
  });
}

test("a function that opens anew while all is closed is closed too", async () => {
  const { book, log, declare, held } = createWorld();
  await book.openFunction("orders");
  const { promise, resolve } = Promise.withResolvers<void>();
  held.set(2, promise);
  const changing = declare(2);
  await quiet();
  assert.equal((await book.close()).length, 1);
  resolve();
  await changing;
  assert.deepEqual(log, ["open orders 1", "open orders 2", "close 2"]);
});

test("what cannot be opened anew leaves the former in its place, and is tried again", async () => {
  const { book, log, invoke, finish, declare, clock, broken } = createWorld();
  await book.openFunction("orders");
  broken.add(2);
  await declare(2);
  const call = invoke(await book.openFunction("orders"));
  await quiet();
  finish(1);
  assert.equal((await call).kind, "succeeded");
  broken.delete(2);
  clock.advance(5_000);
  await quiet();
  assert.deepEqual(log, ["open orders 1", "call 1", "open orders 2", "close 1"]);
});

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders";

test("a version that cannot be opened stops no other: its calls are refused until it can be", async () => {
  const { book, invoke, finish, clock, broken, declareVersions } = createWorld();
  broken.add(3);
  await declareVersions({ 2: 2, 3: 3 });
  const fn = await book.openFunction("orders");
  assert.deepEqual(await invoke(fn, `${ARN}:3`), { kind: "refused", why: "notReady" });
  const second = invoke(fn, `${ARN}:2`);
  await quiet();
  finish(2);
  assert.equal((await second).kind, "succeeded");
  broken.delete(3);
  clock.advance(5_000);
  await quiet();
  const third = invoke(fn, `${ARN}:3`);
  await quiet();
  finish(3);
  assert.equal((await third).kind, "succeeded");
});

test("a change of one version, or of an alias, opens nothing that stays as it is", async () => {
  const { book, log, declareVersions } = createWorld();
  await declareVersions({ 2: 2 });
  await book.openFunction("orders");
  await declareVersions({ 2: 2, 3: 3 }, "3");
  await quiet();
  assert.deepEqual(log, ["open orders 1", "open orders 2", "open orders 3"]);
  await declareVersions({ 3: 3 }, "3");
  await quiet();
  assert.equal(log.at(-1), "close 2");
});

test("a function that nobody declares any more refuses its calls, and is closed behind the last of them", async () => {
  const { book, log, invoke, finish, declare } = createWorld();
  const fn = await book.openFunction("orders");
  const first = invoke(fn);
  await quiet();
  await book.declare([]);
  assert.deepEqual(await invoke(fn), { kind: "refused", why: "noSuchFunction" });
  assert.ok(!log.includes("close 1"));
  finish(1);
  assert.equal((await first).kind, "succeeded");
  await quiet();
  assert.equal(log.at(-1), "close 1");
  await declare(2);
  const again = invoke(await book.openFunction("orders"));
  await quiet();
  finish(2);
  assert.equal((await again).kind, "succeeded");
});

/** Its function `orders` is open in the state of its declaration's number, which is its concurrency's last digit. */
test("a function made of other files opens anew though its declaration is the same, and while it cannot, the former goes on", async () => {
  const { book, log, broken, lines, invoke, finish, clock } = createWorld();
  await book.reopen(["orders", "parcels"]);
  assert.deepEqual(log, [], "nobody has opened them");
  const fn = await book.openFunction("orders");
  broken.add(1);
  await book.reopen(["orders"]);
  clock.advance(5_000);
  await quiet();
  assert.equal(lines.length, 1, "it is tried again, and told once");
  const call = invoke(fn);
  await quiet();
  finish(1);
  assert.equal((await call).kind, "succeeded");
  broken.delete(1);
  clock.advance(5_000);
  await quiet();
  assert.deepEqual(log, ["open orders 1", "call 1", "open orders 1", "close 1"]);
});

function createWorld() {
  const clock = createManualClock();
  const lines: string[] = [];
  const telemetry = {
    ...SILENT_TELEMETRY,
    log: (level: LogLevel, message: string) => void (level === "error" && lines.push(message)),
  };
  const invokers = new InvokerBook(clock, telemetry);
  const log: string[] = [];
  const broken = new Set<number>();
  /** Openings that wait. */
  const held = new Map<number, Promise<void>>();
  const running = new Map<number, () => void>();
  const book = new FunctionBook({
    functions: [declared(1)],
    async openFunction({ target }) {
      const state = Number(target.kind === "http" ? new URL(target.url).port : 0);
      if (broken.has(state)) throw new MillraceError("ERR_MILLRACE_FUNCTION", "It throws when it is loaded.");
      await held.get(state);
      log.push(`open orders ${state}`);
      const adapter: FunctionTarget = {
        async invoke() {
          log.push(`call ${state}`);
          await new Promise<void>((resolve) => running.set(state, resolve));
          return { kind: "succeeded", payload: new Uint8Array() };
        },
        close: async () => void log.push(`close ${state}`),
      };
      return adapter;
    },
    invokers,
    clock,
    telemetry,
  });
  const call: Invocation = {
    caller: { kind: "api", key: "api" },
    requestId: "one",
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    payload: () => new Uint8Array(),
    mayStart: () => true,
    signal: new AbortController().signal,
  };
  return {
    clock,
    book,
    log,
    broken,
    lines,
    held,
    invoke: (fn: Parameters<InvokerBook["invokerOf"]>[0], functionArn = ARN) =>
      invokers.invokerOf(fn).invoke({ ...call, functionArn }),
    finish: (state: number) => running.get(state)?.(),
    declare: (state: number) => book.declare([declared(state)]),
    /** States by version. */
    declareVersions(states: Readonly<Record<string, number>>, live?: string) {
      const versions = Object.entries(states).map(
        ([version, state]) => [version, declared(state).target] as const,
      );
      const aliases = live === undefined ? [] : [["live", { version: live, weights: new Map() }] as const];
      return book.declare([{ ...declared(1), versions: new Map(versions), aliases: new Map(aliases) }]);
    },
  };
}

function runtimeOf(environmentsMin: number): FunctionResource["target"] {
  return {
    kind: "runtime",
    runtime: "nodejs24.x",
    handler: "index.handler",
    code: { path: "/orders" },
    layers: [],
    command: undefined,
    scaling: { environmentsMin, environmentsMax: undefined, invocationsPerEnvironment: 1 },
    isolation: undefined,
    ephemeralStorageMb: undefined,
    environment: {},
    inheritEnvironment: [],
    credentials: "none",
    memoryMb: 128,
  };
}

function declared(state: number): FunctionResource {
  return {
    name: "orders",
    target: { kind: "http", url: `http://127.0.0.1:${state}/` },
    versions: new Map(),
    aliases: new Map(),
    timeoutMs: 3_000,
    concurrency: 1,
    isReserved: false,
    isConcurrencyAdaptive: false,
    errorDetails: "full",
  };
}

async function quiet(): Promise<void> {
  for (let round = 0; round < 10; round++) await setImmediate();
}
