import { firstOf, whenAborted, whenLate } from "../lib/first-of.ts";
import { Slots, type Turn } from "../lib/slots.ts";
import { describeError } from "../model/errors.ts";
import type { ErrorDetails } from "../model/function-error.ts";
import type { InvocationOutcome, OutcomeKind } from "../model/outcome.ts";
import type { Clock } from "../ports/clock.ts";
import type { FunctionTarget } from "../ports/function-target.ts";
import type { Invocation, InvocationBatch, InvocationResult, Invoker } from "../ports/invoker.ts";
import type { LogFields, Telemetry } from "../ports/telemetry.ts";
import type { OpenSpan } from "../ports/tracing.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import { type ErrorBook, unredactedErrors } from "./error-book.ts";
import type { FunctionExplanation } from "./function-explanation.ts";
import type { SharedLimit } from "./shared-limit.ts";
import type { SharedLimits } from "./shared-limits.ts";
import { toldOutcome } from "./told-outcome.ts";

export interface InvocableFunction {
  readonly name: string;
  readonly target: FunctionTarget;
  readonly timeoutMs: number;
  /** Invocations at once, over all callers of the function; more wait their turn, each caller for its even share. */
  readonly concurrency: number;
  /** It reserves that concurrency, which is then of all processes of a store together. */
  readonly isReserved?: boolean;
  /** Fewer at once while the function refuses calls or takes longer than usual. */
  readonly isConcurrencyAdaptive?: boolean;
  /** What may be told of its failures; default `full`. */
  readonly errorDetails?: ErrorDetails;
}

const NOT_STARTED: InvocationResult = { kind: "notStarted" };

/** What runs under one declaration of a function. */
class Serving {
  readonly fn: InvocableFunction;
  #running = 0;
  #onIdle: (() => void) | undefined;

  constructor(fn: InvocableFunction) {
    this.fn = fn;
  }

  began(): void {
    this.#running++;
  }

  ended(): void {
    this.#running--;
    if (this.#running === 0) this.#onIdle?.();
  }

  /** Resolves when nothing of it runs. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#running === 0) resolve();
    });
  }
}

/**
 * One function with its concurrency limit: every invocation of the process passes here, whoever makes it. Where a limit
 * is shared with other processes, as many places are open here as were granted to this one.
 */
export class FunctionInvoker implements Invoker {
  #serving: Serving;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #errors: ErrorBook;
  readonly #slots: Slots;
  #adaptive: AdaptiveLimit | undefined;
  readonly #limits: SharedLimits | undefined;
  #share: SharedLimit | undefined;
  /** Places that are open here; fewer where an adaptive limit says so. */
  #places: number;
  /** Calls that each mapping has in flight. */
  readonly #inFlight = new Map<string, number>();

  /** `limits`: absent where this process shares none. */
  constructor(
    fn: InvocableFunction,
    clock: Clock,
    telemetry: Telemetry,
    limits?: SharedLimits,
    errors: ErrorBook = unredactedErrors(clock),
  ) {
    this.#serving = new Serving(fn);
    this.#errors = errors;
    this.#limits = limits;
    this.#clock = clock;
    this.#telemetry = telemetry;
    // plant: one-invocation-more-than-the-functions-concurrency
    this.#slots = new Slots(fn.concurrency);
    this.#adaptive = adaptiveOf(fn);
    this.#places = fn.concurrency;
    this.#share = fn.isReserved === true ? this.#openShare() : undefined;
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
    if (share !== undefined && fn.isReserved === true) share.limitChanged();
    else {
      this.#share = fn.isReserved === true ? this.#openShare() : undefined;
      if (this.#share === undefined) this.#places = fn.concurrency;
      if (share !== undefined) void this.#limits?.release(share);
    }
    this.#resize();
    return former.idle();
  }

  /** Never rejects, unless `call.payload` throws. */
  async invoke(call: Invocation): Promise<InvocationResult> {
    const { key } = call.caller;
    this.#share?.check();
    const turn = this.#slots.take(key);
    if (turn !== undefined) {
      const outcome = await this.#waitForPlace(turn, call);
      if (outcome !== "granted") return outcome;
    }
    this.#share?.note();
    // plant: a-place-is-not-given-back-when-the-payload-cannot-be-made
    try {
      return call.mayStart() ? await this.#call(call) : NOT_STARTED;
    } finally {
      this.#give(key);
    }
  }

  #give(key: string): void {
    this.#share?.check();
    this.#slots.give(key);
  }

  /** Until it has a place that this process may use now. */
  async #waitForPlace(first: Turn, call: Invocation): Promise<"granted" | InvocationResult> {
    const { key } = call.caller;
    for (let turn: Turn | undefined = first; ; turn = this.#slots.take(key)) {
      this.#share?.ask();
      const outcome = turn === undefined ? "granted" : await this.#wait(turn, call);
      if (outcome !== "granted" || this.#share?.isOpen !== false) return outcome;
      // The process was cut off between the grant of the place and now.
      this.#give(key);
      if (call.patienceMs !== undefined) return this.#refuse(call);
    }
  }

  async #wait(turn: Turn, call: Invocation): Promise<"granted" | InvocationResult> {
    const { patienceMs, signal } = call;
    if (patienceMs === undefined) return (await turn.granted) ? "granted" : NOT_STARTED;
    // plant: a-call-waits-longer-than-its-patience
    const late = whenLate(this.#clock, patienceMs, "late" as const);
    const gone = whenAborted(signal, () => "gone");
    const ending = await firstOf<boolean, "late">(turn.granted, late, gone).catch(() => "gone" as const);
    if (ending === true) return "granted";
    turn.leave();
    // The turn may have come in the same moment: then it is ours.
    if (await turn.granted) return "granted";
    // plant: a-call-that-is-aborted-gives-back-a-place-that-it-has-not
    return ending === "late" ? this.#refuse(call) : NOT_STARTED;
  }

  #refuse({ caller }: Invocation): InvocationResult {
    const { fn } = this.#serving;
    this.#telemetry.functionCall(fn.name, caller.kind, "refused", undefined);
    return { kind: "refused", why: fn.isReserved === true ? "reservedConcurrency" : "concurrency" };
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

  explain(caller: string): FunctionExplanation {
    const { name, concurrency, timeoutMs } = this.#serving.fn;
    const share = this.#share?.standing;
    const standing = this.#slots.standing(caller);
    return { name, concurrency, timeoutMs, ...standing, ...(share === undefined ? {} : { share }) };
  }

  /** Calls of a caller that wait for their turn end at once, not started. */
  dismiss(caller: string): void {
    this.#slots.dismiss(caller);
  }

  async #call(call: Invocation): Promise<InvocationOutcome> {
    const payload = call.payload();
    const { caller, requestId, functionArn } = call;
    const serving = this.#serving;
    const { name: functionName, timeoutMs, target } = serving.fn;
    const span = call.beginSpan?.();
    // Between taking note of it and forgetting it nothing may throw.
    this.#track(call, 1);
    serving.began();
    const startedMs = this.#clock.monotonic();
    const nowMs = this.#clock.now();
    if (call.batch !== undefined) this.#countStart(caller.key, call.batch, nowMs);
    const context = {
      requestId,
      functionName,
      functionArn,
      deadlineMs: nowMs + timeoutMs,
      timeoutMs,
      // A first attempt succeeds nearly always, and what it printed is of no use to anybody.
      logs: call.logs ?? (call.batch?.isRetry === true ? ("tail" as const) : undefined),
      clientContext: call.clientContext,
      trace: span?.context,
    };
    let outcome: InvocationOutcome;
    try {
      outcome = await target.invoke(payload, context, call.signal);
    } catch (error) {
      // The port forbids it, but a defective target must cost its own batch, not the engine.
      // plant: a-call-whose-target-throws-keeps-its-slot
      const message = `function target ${functionName} broke its contract: ${describeError(error)}`;
      this.#telemetry.log("error", message, { ...namesOf(call), traceId: span?.context.traceId });
      outcome = { kind: "functionError", errorType: "Millrace.TargetDefect", message };
    }
    outcome = toldOutcome(this.#errors, serving.fn, call, outcome);
    this.#track(call, -1);
    serving.ended();
    span?.end(outcome);
    const endedMs = this.#clock.monotonic();
    if (caller.kind === "mapping") this.#telemetry.invocation(caller.key, outcome.kind, endedMs - startedMs);
    this.#telemetry.functionCall(functionName, caller.kind, outcome.kind, endedMs - startedMs);
    if (this.#telemetry.logsDebug) this.#tell(call, outcome.kind, endedMs - startedMs, span);
    if (this.#adaptive !== undefined) this.#adapt(this.#adaptive, outcome.kind, startedMs, endedMs);
    return outcome;
  }

  #countStart(mapping: string, { records, isRetry, arrivalMs }: InvocationBatch, nowMs: number): void {
    this.#telemetry.count("invoked_events", mapping, records);
    this.#telemetry.observe("batch_size_records", mapping, records);
    if (isRetry) this.#telemetry.count("retries", mapping, 1);
    else if (arrivalMs !== undefined) {
      const waitedMs = Math.max(0, nowMs - arrivalMs);
      this.#telemetry.observe("put_to_invoke_seconds", mapping, waitedMs / 1000);
    }
  }

  #tell(call: Invocation, outcome: OutcomeKind, durationMs: number, span: OpenSpan | undefined): void {
    const traceId = span?.context.traceId;
    const fields = { ...namesOf(call), traceId, records: call.batch?.records, outcome, durationMs };
    this.#telemetry.log("debug", "an invocation has ended", fields);
  }

  #adapt(adaptive: AdaptiveLimit, kind: OutcomeKind, startedMs: number, endedMs: number): void {
    const before = adaptive.limit;
    adaptive.ended(kind, endedMs - startedMs, this.#slots.taken, endedMs);
    if (adaptive.limit !== before) this.#resize();
  }

  #track({ caller: { kind, key } }: Invocation, change: 1 | -1): void {
    this.#telemetry.functionRunning(this.#serving.fn.name, change);
    if (kind !== "mapping") return;
    const inFlight = (this.#inFlight.get(key) ?? 0) + change;
    if (inFlight === 0) this.#inFlight.delete(key);
    else this.#inFlight.set(key, inFlight);
    this.#telemetry.gauge("in_flight_invocations", key, inFlight);
  }
}

function adaptiveOf({ concurrency, isConcurrencyAdaptive }: InvocableFunction): AdaptiveLimit | undefined {
  return isConcurrencyAdaptive === true ? new AdaptiveLimit(concurrency) : undefined;
}

function namesOf({ caller: { kind, key, shardId }, requestId }: Invocation): LogFields {
  return { mapping: kind === "mapping" ? key : undefined, shardId, requestId };
}
