import { describeError } from "../../model/errors.ts";
import type { InvocationOutcome, OutcomeKind } from "../../model/outcome.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FunctionTarget } from "../../ports/function-target.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { FunctionExplanation } from "../explanation.ts";
import type { OpenSpan } from "../trace/batch-trace.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import { Slots } from "./slots.ts";

export interface InvocableFunction {
  readonly name: string;
  readonly target: FunctionTarget;
  readonly timeoutMs: number;
  /** Invocations at once, over all mappings of the function; more wait their turn, each mapping for its even share. */
  readonly concurrency: number;
  /** Fewer at once while the function refuses calls or takes longer than usual. */
  readonly isConcurrencyAdaptive?: boolean;
}

export interface InvocationRequest {
  readonly mapping: string;
  /** Of a stream; for logs. */
  readonly shardId?: string;
  readonly requestId: string;
  readonly functionArn: string;
  readonly recordCount: number;
  /** Some of the records were in an invocation before. */
  readonly isRetry: boolean;
  /** When the source received the first of the records, as our wall clock has it; `undefined`: nobody knows. */
  readonly arrivalMs: number | undefined;
  /** Called when the turn has come, so that only what is in flight is encoded. */
  encode(): Uint8Array;
  /** Asked when the turn has come: the lease may have run out, or the engine be stopping, while the call waited. */
  mayStart(): boolean;
  readonly signal: AbortSignal;
  /** Called when the call is made; absent when nothing is traced. */
  readonly beginSpan?: (() => OpenSpan) | undefined;
}

export type InvocationResult = InvocationOutcome | { readonly kind: "notStarted" };

const NOT_STARTED: InvocationResult = { kind: "notStarted" };

/** One function with its concurrency limit: every invocation of the process passes here. */
export class FunctionInvoker {
  readonly #fn: InvocableFunction;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #slots: Slots;
  readonly #adaptive: AdaptiveLimit | undefined;
  readonly #inFlight = new Map<string, number>();

  constructor(fn: InvocableFunction, clock: Clock, telemetry: Telemetry) {
    this.#fn = fn;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#slots = new Slots(fn.concurrency);
    this.#adaptive = fn.isConcurrencyAdaptive === true ? new AdaptiveLimit(fn.concurrency) : undefined;
  }

  /** Never rejects, unless `request.encode` throws. */
  async invoke(request: InvocationRequest): Promise<InvocationResult> {
    const turn = this.#slots.take(request.mapping);
    if (turn !== undefined && !(await turn)) return NOT_STARTED;
    try {
      return request.mayStart() ? await this.#call(request) : NOT_STARTED;
    } finally {
      this.#slots.give(request.mapping);
    }
  }

  /** Invocations that run now, of all mappings. */
  get taken(): number {
    return this.#slots.taken;
  }

  explain(mapping: string): FunctionExplanation {
    const { name, concurrency, timeoutMs } = this.#fn;
    return { name, concurrency, timeoutMs, ...this.#slots.standing(mapping) };
  }

  /** Calls of a mapping that wait for their turn end at once, not started. */
  dismiss(mapping: string): void {
    this.#slots.dismiss(mapping);
  }

  async #call(request: InvocationRequest): Promise<InvocationOutcome> {
    const payload = request.encode();
    const { mapping, requestId, functionArn } = request;
    const { name: functionName, timeoutMs, target } = this.#fn;
    const span = request.beginSpan?.();
    // Between taking note of it and forgetting it nothing may throw.
    this.#track(mapping, 1);
    const startedMs = this.#clock.monotonic();
    const nowMs = this.#clock.now();
    this.#countStart(request, nowMs);
    const context = {
      requestId,
      functionName,
      functionArn,
      deadlineMs: nowMs + timeoutMs,
      timeoutMs,
      trace: span?.context,
    };
    let outcome: InvocationOutcome;
    try {
      outcome = await target.invoke(payload, context, request.signal);
    } catch (error) {
      // The port forbids it, but a defective target must cost its own batch, not the engine.
      const message = `function target ${functionName} broke its contract: ${describeError(error)}`;
      const { shardId } = request;
      const traceId = span?.context.traceId;
      this.#telemetry.log("error", message, { mapping, shardId, requestId, traceId });
      outcome = { kind: "functionError", errorType: "Millrace.TargetDefect", message };
    }
    this.#track(mapping, -1);
    span?.end(outcome);
    const endedMs = this.#clock.monotonic();
    this.#telemetry.invocation(mapping, outcome.kind, endedMs - startedMs);
    if (this.#telemetry.logsDebug) this.#tell(request, outcome.kind, endedMs - startedMs, span);
    if (this.#adaptive !== undefined) this.#adapt(this.#adaptive, outcome.kind, startedMs, endedMs);
    return outcome;
  }

  #countStart({ mapping, recordCount, isRetry, arrivalMs }: InvocationRequest, nowMs: number): void {
    this.#telemetry.count("invoked_events", mapping, recordCount);
    this.#telemetry.observe("batch_size_records", mapping, recordCount);
    if (isRetry) this.#telemetry.count("retries", mapping, 1);
    else if (arrivalMs !== undefined) {
      const waitedMs = Math.max(0, nowMs - arrivalMs);
      this.#telemetry.observe("put_to_invoke_seconds", mapping, waitedMs / 1000);
    }
  }

  #tell(
    request: InvocationRequest,
    outcome: OutcomeKind,
    durationMs: number,
    span: OpenSpan | undefined,
  ): void {
    const { mapping, shardId, requestId, recordCount: records } = request;
    const traceId = span?.context.traceId;
    const fields = { mapping, shardId, requestId, traceId, records, outcome, durationMs };
    this.#telemetry.log("debug", "an invocation has ended", fields);
  }

  #adapt(adaptive: AdaptiveLimit, kind: OutcomeKind, startedMs: number, endedMs: number): void {
    const before = adaptive.limit;
    adaptive.ended(kind, endedMs - startedMs, this.#slots.taken, endedMs);
    if (adaptive.limit !== before) this.#slots.resize(adaptive.limit);
  }

  #track(mapping: string, change: 1 | -1): void {
    const inFlight = (this.#inFlight.get(mapping) ?? 0) + change;
    if (inFlight === 0) this.#inFlight.delete(mapping);
    else this.#inFlight.set(mapping, inFlight);
    this.#telemetry.gauge("in_flight_invocations", mapping, inFlight);
  }
}
