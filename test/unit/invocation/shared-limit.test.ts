import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readAllotment } from "../../../src/invocation/allotment.ts";
import { FunctionInvoker } from "../../../src/invocation/function-invoker.ts";
import type { InvocableFunction } from "../../../src/invocation/invocable-function.ts";
import { SharedLimits } from "../../../src/invocation/shared-limits.ts";
import { API_CALLER } from "../../../src/model/caller.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { CellStore } from "../../../src/ports/cell-store.ts";
import type { InvocationResult } from "../../../src/ports/invoker.ts";
import { createMemoryCellStore } from "../../../src/stores/memory-cells.ts";
import { ManualClock, SILENT_TELEMETRY } from "../engine/stream/small-world.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:fn";

const LIMIT = 5;
const PATIENCE_MS = 250;
/** Of the driver: a second between two looks, and between two writes. */
const LOOK_MS = 1_000;
const SURPLUS_MS = 10_000;
const CELL = "allot/fn";

/** One store, and its processes at one clock. */
class World {
  readonly clock = new ManualClock();
  readonly cells = new WatchedCells();
  readonly processes: Process[] = [];

  start(name: string, limit = LIMIT): Process {
    const process = new Process(name, this, limit);
    this.processes.push(process);
    return process;
  }

  get running(): number {
    return this.processes.reduce((total, { running }) => total + running.length, 0);
  }

  async grants(): Promise<Readonly<Record<string, number>>> {
    const [cell] = await this.cells.inner.read(CELL);
    const parts = readAllotment(cell?.document ?? "")?.parts ?? [];
    return Object.fromEntries(parts.map(({ process, granted }) => [process, granted]));
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) await this.clock.advance(Math.min(50, left));
  }
}

class WatchedCells implements CellStore {
  readonly inner = createMemoryCellStore();
  reads = 0;
  writes = 0;
  /** What the next swap does with its answer. */
  next: "answers" | "is lost before it took effect" | "is lost after it took effect" | "comes late" =
    "answers";
  late: (() => Promise<unknown>) | undefined;

  async read(prefix: string) {
    this.reads++;
    return await this.inner.read(prefix);
  }

  async swap(name: string, seen: number, document: string | undefined) {
    this.writes++;
    const how = this.next;
    this.next = "answers";
    if (how === "answers") return await this.inner.swap(name, seen, document);
    if (how === "is lost after it took effect") await this.inner.swap(name, seen, document);
    if (how === "comes late") this.late = () => this.inner.swap(name, seen, document);
    throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "no answer");
  }

  async close() {}
}

class Process {
  readonly running: (() => void)[] = [];
  readonly gone = new Set<string>();
  readonly limits: SharedLimits;
  readonly invoker: FunctionInvoker;
  readonly #fn: InvocableFunction;
  isCutOff = false;
  life = 0;
  granted = 0;
  #isResting = false;

  constructor(name: string, world: World, limit: number) {
    const self = this;
    this.limits = new SharedLimits({
      cells: world.cells,
      clock: world.clock,
      telemetry: {
        ...SILENT_TELEMETRY,
        functionGrant: (_fn, granted) => {
          this.granted = granted;
        },
      },
      membership: {
        get processId() {
          return self.life === 0 ? name : `${name}~${self.life}`;
        },
        get life() {
          return self.life;
        },
        names: [],
        get isCutOff() {
          return self.isCutOff;
        },
        get living() {
          return world.processes.length;
        },
        isGone: (process) => this.gone.has(process),
      },
    });
    const invoke = () =>
      new Promise<InvocationOutcome>((resolve) => {
        const end = () => {
          this.running.splice(this.running.indexOf(end), 1);
          resolve({ kind: "succeeded", payload: Buffer.from("null") });
        };
        this.running.push(end);
      });
    const target = { invoke, close: async () => {} };
    this.#fn = { name: "fn", target, timeoutMs: 3_000, concurrency: limit, isReserved: true };
    this.invoker = new FunctionInvoker(this.#fn, world.clock, SILENT_TELEMETRY, { limits: this.limits });
  }

  /** The function is declared anew, as in every process of the store. */
  become(concurrency: number, isReserved = true): void {
    void this.invoker.replace({ ...this.#fn, concurrency, isReserved });
  }

  call(): Promise<InvocationResult> {
    return this.#invoke({ caller: { kind: "mapping", key: "orders" } });
  }

  api(): Promise<InvocationResult> {
    return this.#invoke({ caller: API_CALLER, patienceMs: PATIENCE_MS });
  }

  /** Calls that are followed by another as soon as they end. */
  saturate(calls: number): void {
    this.#isResting = false;
    const next = async (): Promise<void> => {
      await this.call();
      if (!this.#isResting) await next();
    };
    for (let each = 0; each < calls; each++) void next();
  }

  rest(): void {
    this.#isResting = true;
    this.end();
  }

  end(calls = this.running.length): void {
    for (const end of this.running.slice(0, calls)) end();
  }

  #invoke(more: Pick<Parameters<FunctionInvoker["invoke"]>[0], "caller" | "patienceMs">) {
    return this.invoker.invoke({
      ...more,
      requestId: "r",
      functionArn: ARN,
      payload: () => Buffer.from("{}"),
      mayStart: () => true,
      signal: new AbortController().signal,
    });
  }
}

describe("a limit over all processes", () => {
  test("a call finds its place at once, and a process that is alone has all of them", async () => {
    const world = new World();
    const a = world.start("a");
    a.saturate(20);
    await world.clock.advance(1);
    assert.equal(a.running.length, LIMIT);
    assert.deepEqual(await world.grants(), { a: LIMIT });
  });

  test("a call that comes soon after a start finds its place at once too", async () => {
    const world = new World();
    const a = world.start("a");
    await world.pass(LOOK_MS / 4);
    void a.api();
    await world.clock.advance(1);
    assert.equal(a.running.length, 1);
  });

  test("a process that comes later has its even share as calls end, and never do more run than the limit", async () => {
    const world = new World();
    const [a, b] = [world.start("a"), world.start("b")];
    a.saturate(20);
    await world.pass(3 * LOOK_MS);
    assert.equal(a.running.length, LIMIT);
    b.saturate(20);
    for (let turn = 0; turn < 100; turn++) {
      a.end(1);
      b.end(1);
      await world.pass(50);
      assert.ok(world.running <= LIMIT, `${world.running} run`);
    }
    assert.deepEqual([a.running.length, b.running.length].toSorted(), [2, 3]);
    assert.deepEqual(await world.grants(), { a: a.running.length, b: b.running.length });
  });

  test("a call by Invoke waits for its patience while another process has all, and finds a place later", async () => {
    const world = new World();
    const [a, b] = [world.start("a"), world.start("b")];
    a.saturate(20);
    await world.pass(3 * LOOK_MS);
    const refused = b.api();
    await world.clock.advance(PATIENCE_MS - 1);
    assert.equal(await Promise.race([refused, "waits"]), "waits");
    await world.clock.advance(2);
    assert.deepEqual(await refused, { kind: "refused", why: "reservedConcurrency" });
    for (let turn = 0; turn < 60; turn++) {
      a.end(1);
      await world.pass(50);
    }
    const served = b.api();
    await world.clock.advance(1);
    b.end();
    assert.equal((await served).kind, "succeeded");
  });

  test("what was not used for a while is given back, and at rest nothing is read or written", async () => {
    const world = new World();
    const a = world.start("a");
    const served = a.api();
    await world.clock.advance(1);
    a.end();
    assert.equal((await served).kind, "succeeded");
    await world.pass(SURPLUS_MS / 2);
    assert.deepEqual(await world.grants(), { a: LIMIT }, "it may come again");
    await world.pass(2 * SURPLUS_MS + 2 * LOOK_MS);
    assert.deepEqual(await world.grants(), {});
    assert.equal(a.granted, 0);
    const { reads, writes } = world.cells;
    await world.pass(60 * LOOK_MS);
    assert.deepEqual([world.cells.reads, world.cells.writes], [reads, writes]);
    assert.equal(world.clock.pendingCalls, 0);
  });

  test("a limit that was declared anew holds over all processes as calls end, whether it is lower or higher", async () => {
    const world = new World();
    const [a, b] = [world.start("a"), world.start("b")];
    a.saturate(20);
    b.saturate(20);
    for (const limit of [2, 8]) {
      for (const process of [a, b]) process.become(limit);
      for (let turn = 0; turn < 100; turn++) {
        a.end(1);
        b.end(1);
        await world.pass(50);
      }
      assert.equal(world.running, limit);
      assert.deepEqual(await world.grants(), { a: limit / 2, b: limit / 2 });
    }
  });

  test("a function that reserves nothing any more runs as many as it may, and gives its part back", async () => {
    const world = new World();
    const a = world.start("a");
    a.saturate(20);
    await world.pass(LOOK_MS);
    a.become(7, false);
    await world.pass(2 * LOOK_MS);
    assert.equal(a.running.length, 7);
    a.become(3, true);
    a.end();
    await world.pass(2 * LOOK_MS);
    a.end();
    await world.pass(2 * LOOK_MS);
    assert.equal(a.running.length, 3);
    assert.deepEqual(await world.grants(), { a: 3 });
  });

  test("a process writes its cell at most once a second, however its calls come and go", async () => {
    const world = new World();
    const [a, b] = [world.start("a"), world.start("b")];
    a.saturate(3);
    b.saturate(3);
    await world.pass(LOOK_MS);
    world.cells.writes = 0;
    for (let turn = 0; turn < 200; turn++) {
      a.end(turn % 4);
      b.end(turn % 3);
      if (turn % 7 === 0) void a.api();
      await world.pass(50);
    }
    assert.ok(world.cells.writes <= 2 * 11, `${world.cells.writes} writes of two processes in 10 s`);
  });
});

describe("a process that cannot know", () => {
  test("starts nothing from the moment at which it is cut off, before any timer has told it", async () => {
    const world = new World();
    const a = world.start("a");
    const first = a.call();
    await world.clock.advance(1);
    a.isCutOff = true;
    const second = a.call();
    a.end();
    await first;
    assert.equal(a.running.length, 0);
    await world.pass(2 * LOOK_MS);
    assert.equal(a.running.length, 0);
    assert.equal(a.invoker.explain("orders", ARN).share?.isCutOff, true);
    a.life = 1;
    a.isCutOff = false;
    a.gone.add("a");
    await world.pass(2 * LOOK_MS);
    assert.deepEqual(await world.grants(), { "a~1": LIMIT });
    a.end();
    assert.equal((await second).kind, "succeeded");
  });

  test("gives nothing to a call that waited when it is cut off as a place comes free, and refuses one of Invoke", async () => {
    const world = new World();
    const a = world.start("a", 1);
    void a.call();
    await world.clock.advance(1);
    const waiting = a.api();
    a.isCutOff = true;
    a.end();
    await world.clock.advance(PATIENCE_MS + 1);
    assert.deepEqual(await waiting, { kind: "refused", why: "reservedConcurrency" });
    assert.equal(a.invoker.taken, 0);
  });

  for (const how of ["is lost before it took effect", "is lost after it took effect"] as const)
    test(`starts nothing by a grant whose answer ${how}, until it has read it`, async () => {
      const world = new World();
      const a = world.start("a");
      await world.clock.advance(1);
      world.cells.next = how;
      await world.pass(LOOK_MS);
      void a.call();
      await world.clock.advance(1);
      assert.equal(a.running.length, 0);
      await world.pass(2 * LOOK_MS);
      assert.equal(a.running.length, 1);
      assert.deepEqual(await world.grants(), { a: LIMIT });
    });

  test("believes the smaller grant while a swap that was lost may still take effect", async () => {
    const world = new World();
    const a = world.start("a");
    a.saturate(3);
    await world.pass(3 * LOOK_MS);
    a.rest();
    while (world.cells.late === undefined) {
      world.cells.next = "comes late";
      await world.pass(50);
    }
    world.cells.next = "answers";
    a.saturate(3);
    await world.pass(2 * LOOK_MS + 100);
    assert.equal(a.running.length, 3, "it has asked anew");
    await world.cells.late();
    for (let turn = 0; turn < 40; turn++) {
      const granted = (await world.grants())["a"] ?? 0;
      assert.ok(a.running.length <= granted, `${a.running.length} run, ${granted} are granted`);
      await world.pass(50);
    }
  });
});

describe("processes that come and go", () => {
  test("the places of one that is gone are taken, and not before", async () => {
    const world = new World();
    const [a, b] = [world.start("a"), world.start("b")];
    a.saturate(20);
    await world.pass(3 * LOOK_MS);
    b.saturate(20);
    await world.pass(5 * LOOK_MS);
    assert.equal(b.running.length, 0, "a still has all, since none of its calls ends");
    b.gone.add("a");
    await world.pass(2 * LOOK_MS);
    assert.deepEqual(await world.grants(), { b: LIMIT });
  });

  test("one that stops gives back what does not run", async () => {
    const world = new World();
    const [a, b] = [world.start("a"), world.start("b")];
    for (let each = 0; each < 3; each++) void a.call();
    await world.pass(LOOK_MS);
    a.end(2);
    await world.clock.advance(1);
    await a.limits.close();
    assert.deepEqual(await world.grants(), { a: 1 });
    b.saturate(9);
    await world.pass(2 * LOOK_MS);
    assert.equal(b.running.length, LIMIT - 1);
  });

  test("the limit is what the last that started says, and where it is lower nothing starts above it", async () => {
    const world = new World();
    const a = world.start("a");
    a.saturate(20);
    await world.pass(2 * LOOK_MS);
    const b = world.start("b", 2);
    b.saturate(20);
    await world.pass(2 * LOOK_MS);
    for (let turn = 0; turn < 100; turn++) {
      const before = world.running;
      a.end(1);
      b.end(1);
      await world.pass(50);
      assert.ok(world.running <= Math.max(before - 1, 2), `${world.running} run after ${before}`);
    }
    assert.deepEqual([a.running.length, b.running.length], [1, 1]);
    await world.pass(10 * LOOK_MS);
    assert.equal(a.invoker.explain("orders", ARN).share?.limit, 2, "a does not say its own again");
  });
});
