import { firstOf, whenAborted, whenLate } from "../lib/first-of.ts";
import { Slots, type Turn } from "../lib/slots.ts";
import { longestTimeoutMs, qualifierIn } from "../model/call-timeouts.ts";
import type { KeySplit } from "../model/key-split.ts";
import { LOOP_EXECUTIONS_MAX, passes } from "../model/lineage.ts";
import type { OutcomeKind } from "../model/outcome.ts";
import type { Clock } from "../ports/clock.ts";
import type { Invocation, InvocationResult, Invoker, RefusalReason, ShutReason } from "../ports/invoker.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import type { CallTracer } from "./call-tracer.ts";
import { type ErrorBook, unredactedErrors } from "./error-book.ts";
import type { FunctionExplanation } from "./function-explanation.ts";
import type { Route } from "./function-routes.ts";
import type { InvocableFunction } from "./invocable-function.ts";
import { MeasuredCalls } from "./measured-calls.ts";
import { Serving } from "./serving.ts";
import type { SharedLimit } from "./shared-limit.ts";
import type { SharedLimits } from "./shared-limits.ts";
import type { UnreservedPool } from "./unreserved-pool.ts";
import type { VersionFigures } from "./version-figures.ts";

const NOT_STARTED: InvocationResult = { kind: "notStarted" };

export interface FunctionInvokerOptions {
  /** Absent: this process shares no limits with others. */
  readonly limits?: SharedLimits | undefined;
  readonly errors?: ErrorBook;
  readonly tracer?: CallTracer | undefined;
  /** Absent: functions that reserve nothing have their own bounds alone. */
  readonly unreserved?: UnreservedPool | undefined;
  readonly figures?: VersionFigures | undefined;
}

/**
 * One function with its concurrency limit, over all of its versions: every invocation of the process passes here,
 * whoever makes it. Where a limit is shared with other processes, as many places are open here as were granted to this
 * one.
 */
export class FunctionInvoker implements Invoker {
  #serving: Serving;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #calls: MeasuredCalls;
  readonly #slots: Slots;
  #adaptive: AdaptiveLimit | undefined;
  readonly #limits: SharedLimits | undefined;
  /** Its own. */
  #share: SharedLimit | undefined;
  readonly #unreserved: UnreservedPool | undefined;
  /** The pool that it takes its places from, while it reserves none. */
  #pool: UnreservedPool | undefined;
  /** Places that are open here; fewer where an adaptive limit says so. */
  #places: number;

  constructor(
    fn: InvocableFunction,
    clock: Clock,
    telemetry: Telemetry,
    options: FunctionInvokerOptions = {},
  ) {
    const { limits, errors = unredactedErrors(clock), tracer, unreserved, figures } = options;
    this.#serving = new Serving(fn);
    this.#limits = limits;
    this.#unreserved = unreserved;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#calls = new MeasuredCalls(
      { clock, telemetry, errors, tracer, figures },
      (kind, startedMs, endedMs) => this.#adapt(kind, startedMs, endedMs),
    );
    // plant: one-invocation-more-than-the-functions-concurrency
    this.#slots = new Slots(fn.concurrency);
    this.#adaptive = adaptiveOf(fn);
    this.#places = fn.concurrency;
    this.#share = fn.isReserved === true ? this.#openShare() : undefined;
    this.#joinPool();
  }

  /**
   * Calls that begin from now on, also those that wait for their turn, are of `fn`; those that run end where they
   * began. Resolves when the last of those has.
   */
  replace(fn: InvocableFunction): Promise<void> {
    const former = this.#serving;
    this.#serving = new Serving(fn);
    this.#adaptive = adaptiveOf(fn);
    const share = this.#share;
    if (share !== undefined && fn.isReserved === true) {
      if (fn.concurrency !== former.fn.concurrency) share.limitChanged();
    } else {
      this.#share = fn.isReserved === true ? this.#openShare() : undefined;
      if (this.#share === undefined) this.#places = fn.concurrency;
      if (share !== undefined) void this.#limits?.release(share);
    }
    this.#joinPool();
    this.#resize();
    if (this.#serving.shutForAll !== undefined) this.#slots.dismissAll();
    return former.idle();
  }

  /** Nobody declares the function any more: no call starts, until it is replaced. Resolves as `replace` does. */
  withdraw(): Promise<void> {
    const former = this.#serving;
    this.#serving = new Serving(former.fn, true);
    this.#slots.dismissAll();
    return former.idle();
  }

  /** Never rejects, unless `call.payload` throws. */
  async invoke(call: Invocation): Promise<InvocationResult> {
    const { key } = call.caller;
    let route = this.#routeOf(call);
    if (typeof route === "string") return this.#refuse(call, route, 0);
    if (call.lineage !== undefined && this.#isLoop(call)) return this.#refuse(call, "recursion", 0);
    this.#gate?.check();
    const turn = this.#slots.take(key);
    let waitedMs = 0;
    if (turn !== undefined) {
      const arrivedMs = this.#clock.monotonic();
      const ending = await this.#waitForPlace(turn, call);
      waitedMs = this.#clock.monotonic() - arrivedMs;
      if (ending === "notStarted") return NOT_STARTED;
      if (ending !== "granted") return this.#refuse(call, ending, waitedMs);
    }
    this.#gate?.note();
    // plant: a-place-is-not-given-back-when-the-payload-cannot-be-made
    try {
      // What its name means may have changed while it waited.
      // plant: a-call-goes-where-its-name-led-when-it-came
      if (turn !== undefined) route = this.#routeOf(call);
      if (typeof route === "string") return this.#refuse(call, route, waitedMs);
      return call.mayStart() ? await this.#calls.run(call, this.#serving, route, waitedMs) : NOT_STARTED;
    } finally {
      this.#give(key);
    }
  }

  /** On AWS users were hit by this in silence: who refuses says so (invocation §9.6). */
  #isLoop({ lineage, functionArn }: Invocation): boolean {
    return this.#serving.fn.allowsLoops !== true && passes(lineage, functionArn) >= LOOP_EXECUTIONS_MAX;
  }

  /** Calls that could start now, as far as this process knows. */
  get room(): number {
    return this.#slots.free;
  }

  /** What of a shared limit this process may use: of the function's own, or of the account's. */
  get #gate(): SharedLimit | undefined {
    return this.#share ?? this.#pool?.share;
  }

  #joinPool(): void {
    // plant: who-reserves-takes-of-the-shared-places
    this.#pool = this.#serving.fn.isReserved === true ? undefined : this.#unreserved;
    this.#slots.join(this.#pool?.slots);
  }

  #give(key: string): void {
    this.#gate?.check();
    this.#slots.give(key);
  }

  /** Where it goes now, or why nowhere: then it need not wait for a place. */
  #routeOf(call: Invocation): Route | ShutReason {
    return this.#serving.shutForAll ?? this.#serving.route(call);
  }

  /** Until it has a place that this process may use now. */
  async #waitForPlace(first: Turn, call: Invocation): Promise<"granted" | "notStarted" | RefusalReason> {
    const { key } = call.caller;
    for (let turn: Turn | undefined = first; ; turn = this.#slots.take(key)) {
      this.#gate?.ask();
      const ending = turn === undefined ? "granted" : await this.#wait(turn, call);
      if (ending !== "granted" || this.#gate?.isOpen !== false) return ending;
      // The process was cut off between the grant of the place and now.
      this.#give(key);
      if (call.patienceMs !== undefined) return this.#usedUp;
    }
  }

  async #wait(turn: Turn, call: Invocation): Promise<"granted" | "notStarted" | RefusalReason> {
    const { patienceMs, signal } = call;
    if (patienceMs === undefined) return (await turn.granted) ? "granted" : this.#sentAway;
    // plant: a-call-waits-longer-than-its-patience
    const late = whenLate(this.#clock, patienceMs, "late" as const);
    const gone = whenAborted(signal, () => "gone");
    const ending = await firstOf<boolean, "late">(turn.granted, late, gone).catch(() => "gone" as const);
    if (ending === true) return "granted";
    turn.leave();
    // The turn may have come in the same moment: then it is ours.
    if (await turn.granted) return "granted";
    // plant: a-call-that-is-aborted-gives-back-a-place-that-it-has-not
    if (ending === "late") return this.#usedUp;
    return signal.aborted ? "notStarted" : this.#sentAway;
  }

  /** Its caller has left, or the function was shut while it waited. */
  get #sentAway(): "notStarted" | ShutReason {
    // plant: who-waited-for-a-function-that-was-shut-is-not-told
    return this.#serving.shutForAll ?? "notStarted";
  }

  get #usedUp(): RefusalReason {
    if (this.#serving.fn.isReserved === true) return "reservedConcurrency";
    return this.#pool !== undefined && this.#slots.hasRoom ? "accountConcurrency" : "concurrency";
  }

  #refuse({ caller }: Invocation, why: RefusalReason, waitedMs: number): InvocationResult {
    this.#telemetry.functionCall(this.#serving.fn.name, caller.kind, "refused", undefined, waitedMs);
    return { kind: "refused", why };
  }

  #openShare(): SharedLimit | undefined {
    if (this.#limits === undefined) return undefined;
    this.#places = 0;
    this.#slots.resize(0);
    return this.#limits.open({
      fn: this.#serving.fn.name,
      limit: () => this.#serving.fn.concurrency,
      running: () => this.#slots.taken,
      waiting: () => this.#slots.waiting,
      onChange: (startsBelow) => {
        this.#places = startsBelow;
        this.#resize();
      },
    });
  }

  #resize(): void {
    this.#slots.resize(Math.min(this.#places, this.#adaptive?.limit ?? this.#places));
  }

  /** Invocations that run now, of all callers. */
  get taken(): number {
    return this.#slots.taken;
  }

  /** Invocations that wait for their turn, of all callers. */
  get waiting(): number {
    return this.#slots.waiting;
  }

  /** Why no call under this name can start. */
  shut(functionArn: string): ShutReason | undefined {
    return this.#serving.shut(functionArn);
  }

  /** How keys are dealt out to versions under this name, now; `undefined`: all calls go to one version. */
  split(functionArn: string): KeySplit | undefined {
    return this.#serving.split(functionArn);
  }

  /** `functionArn`: under which name the caller calls. */
  explain(caller: string, functionArn: string): FunctionExplanation {
    const { name, concurrency } = this.#serving.fn;
    const timeoutMs = longestTimeoutMs(this.#serving.fn, qualifierIn(functionArn));
    const share = this.#gate?.standing;
    const pool = this.#pool?.slots;
    const account = pool?.isFull === true ? { limit: pool.limit, running: pool.taken } : undefined;
    const shut = this.shut(functionArn);
    return {
      ...{ name, concurrency, timeoutMs, ...this.#slots.standing(caller) },
      ...(share === undefined ? {} : { share }),
      ...(account === undefined ? {} : { account }),
      ...(shut === undefined ? {} : { shut }),
    };
  }

  /** Calls of a caller that wait for their turn end at once, not started. */
  dismiss(caller: string): void {
    this.#slots.dismiss(caller);
  }

  #adapt(kind: OutcomeKind, startedMs: number, endedMs: number): void {
    const adaptive = this.#adaptive;
    if (adaptive === undefined) return;
    const before = adaptive.limit;
    adaptive.ended(kind, endedMs - startedMs, this.#slots.taken, endedMs);
    if (adaptive.limit !== before) this.#resize();
  }
}

function adaptiveOf({ concurrency, isConcurrencyAdaptive }: InvocableFunction): AdaptiveLimit | undefined {
  return isConcurrencyAdaptive === true && concurrency > 0 ? new AdaptiveLimit(concurrency) : undefined;
}
