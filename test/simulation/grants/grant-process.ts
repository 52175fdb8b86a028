import { FunctionBook } from "../../../src/control/function-book.ts";
import type { MappingRunner } from "../../../src/control/mapping-runner.ts";
import { Reconciler } from "../../../src/control/reconciler.ts";
import type { FunctionInvoker } from "../../../src/invocation/function-invoker.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import { SharedLimits } from "../../../src/invocation/shared-limits.ts";
import { API_CALLER, type Caller } from "../../../src/model/caller.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import type { CellStore } from "../../../src/ports/cell-store.ts";
import type { InvocationResult } from "../../../src/ports/invoker.ts";
import type { Membership } from "../../../src/ports/membership.ts";
import type { ResourceStore } from "../../../src/ports/resource-store.ts";
import { createMemoryStore } from "../../../src/stores/memory.ts";
import { SILENT_TELEMETRY } from "../../unit/engine/stream/small-world.ts";
import { FaultyStore } from "../control/faulty-store.ts";
import { FaultyWay } from "../control/faulty-way.ts";
import { ProcessClock } from "../control/process-clock.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { FaultyCells } from "./faulty-cells.ts";

export const PATIENCE_MS = 250;
const FAULT_RATE = 0.05;
/** The own bound of a function that reserves nothing: the pool's is below it. */
const REMOTE_CONCURRENCY = 1_000;

export interface GrantProcessOptions {
  readonly name: string;
  readonly limit: number;
  /** The limit is of the account, and the function reserves nothing of it. */
  readonly isPooled: boolean;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly rows: ResourceStore;
  readonly cells: CellStore;
  /** A call begins at the function; resolves when it has ended there. */
  readonly onStart: (process: GrantProcess) => Promise<void>;
  /** The door threw something of its own. */
  readonly onBroken: (process: GrantProcess, error: unknown) => void;
  /** A call of Invoke was answered after so long. */
  readonly onAnswer: (process: GrantProcess, result: InvocationResult["kind"], waitedMs: number) => void;
}

class NoEvent extends Error {}

/** A process with the real door to a function, its real part of the limit and its real beats. */
export class GrantProcess {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly way: FaultyWay;
  readonly membership: Membership;
  readonly invoker: FunctionInvoker;
  isStopped = false;
  /** Until then its callers want nothing. */
  restsUntilMs = 0;
  /** So often callers are rude. */
  faultRate = FAULT_RATE;
  readonly #options: GrantProcessOptions;
  readonly #random: SeededRandom;
  readonly #reconciler: Reconciler;
  readonly #limits: SharedLimits;
  #calls = 0;

  constructor(options: GrantProcessOptions) {
    const { name, time, random, rows, cells, limit, isPooled } = options;
    this.#options = options;
    this.#random = random.fork("calls");
    this.name = name;
    this.clock = new ProcessClock(time, random.fork("clock"));
    this.way = new FaultyWay(time, this.clock, random.fork("store"));
    this.way.faultRate = FAULT_RATE;
    this.way.lateRate = 0.5;
    const { clock } = this;
    const book = new InvokerBook(clock, SILENT_TELEMETRY, isPooled ? { accountConcurrency: limit } : {});
    // No row declares a function: the one that counts is opened here.
    const openFunction = async () => Promise.reject(new Error("no function is declared"));
    const declared = { functions: [], openFunction, invokers: book, clock, telemetry: SILENT_TELEMETRY };
    this.#reconciler = new Reconciler({
      processId: name,
      store: new FaultyStore(rows, this.way),
      progress: createMemoryStore(),
      // There is no row, so that nothing is run.
      runner: {} as MappingRunner,
      functions: new FunctionBook(declared),
      clock,
      telemetry: SILENT_TELEMETRY,
      connectors: [],
      endpoints: {},
      place: DEFAULT_PLACE,
    });
    this.membership = this.#reconciler.membership;
    const { membership } = this;
    this.#limits = new SharedLimits({
      cells: new FaultyCells(cells, this.way),
      membership,
      clock,
      telemetry: SILENT_TELEMETRY,
    });
    book.share(this.#limits);
    this.invoker = book.invokerOf({
      name: "fn",
      target: { invoke: () => this.#atFunction(), close: async () => {} },
      timeoutMs: 3_000,
      concurrency: isPooled ? REMOTE_CONCURRENCY : limit,
      isReserved: !isPooled,
    });
    void this.#reconciler.start();
  }

  /** Callers that call again as soon as they are answered, and some that pause. */
  run(mappings: number, invokes: number): void {
    for (let each = 0; each < mappings; each++)
      void this.#loop({ kind: "mapping", key: each % 2 === 0 ? "orders" : "other" });
    for (let each = 0; each < invokes; each++) void this.#loop(API_CALLER);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    for (const key of ["orders", "other"]) this.invoker.dismiss(key);
    await this.#reconciler.stop();
    while (this.invoker.taken > 0) await this.#wait(50);
    await this.#limits.close();
    await this.#reconciler.forget();
  }

  async #loop(caller: Caller): Promise<void> {
    while (!this.isStopped) {
      while (this.clock.monotonic() < this.restsUntilMs) await this.#wait(300);
      await this.#call(caller).catch((error: unknown) => {
        if (!(error instanceof NoEvent)) this.#options.onBroken(this, error);
      });
      const pauses = caller.kind === "api" || this.#random.chance(this.faultRate);
      await this.#wait(pauses ? this.#random.between(1, 400) : 1);
    }
  }

  async #call(caller: Caller): Promise<void> {
    const random = this.#random;
    const end = new AbortController();
    const isRude = random.chance(this.faultRate);
    const rudeness = isRude ? random.pick(["abort", "payload", "late"] as const) : undefined;
    if (rudeness === "abort") void this.#wait(random.between(0, PATIENCE_MS)).then(() => end.abort());
    const beganMs = this.clock.monotonic();
    let startedMs: number | undefined;
    const result = await this.invoker.invoke({
      caller,
      requestId: `${this.name}-${this.#calls++}`,
      functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:fn",
      payload: () => {
        if (rudeness === "payload") throw new NoEvent();
        return Buffer.alloc(0);
      },
      mayStart: () => {
        startedMs = this.clock.monotonic();
        return rudeness !== "late";
      },
      signal: end.signal,
      ...(caller.kind === "api" ? { patienceMs: PATIENCE_MS } : {}),
    });
    const waitedMs = (startedMs ?? this.clock.monotonic()) - beganMs;
    if (caller.kind === "api") this.#options.onAnswer(this, result.kind, waitedMs);
  }

  async #atFunction(): Promise<InvocationOutcome> {
    await this.#options.onStart(this);
    // The answer comes to a process that goes on.
    await this.#wait(0);
    return { kind: "succeeded", payload: Buffer.from("null") };
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.schedule(ms, resolve));
  }
}
