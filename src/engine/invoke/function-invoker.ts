import { describeError } from "../../model/errors.ts";
import type { InvocationOutcome, OutcomeKind } from "../../model/outcome.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FunctionTarget } from "../../ports/function-target.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { FunctionExplanation } from "../explanation.ts";
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
  readonly requestId: string;
  readonly functionArn: string;
  readonly recordCount: number;
  /** Called when the turn has come, so that only what is in flight is encoded. */
  encode(): Uint8Array;
  /** Asked when the turn has come: the lease may have run out, or the engine be stopping, while the call waited. */
  mayStart(): boolean;
  readonly signal: AbortSignal;
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

  explain(mapping: string): FunctionExplanation {
    const { name, concurrency } = this.#fn;
    return { name, concurrency, ...this.#slots.standing(mapping) };
  }

  /** Calls of a mapping that wait for their turn end at once, not started. */
  dismiss(mapping: string): void {
    this.#slots.dismiss(mapping);
  }

  async #call(request: InvocationRequest): Promise<InvocationOutcome> {
    const payload = request.encode();
    const { mapping, recordCount, requestId, functionArn } = request;
    const { name: functionName, timeoutMs, target } = this.#fn;
    this.#telemetry.count("invoked_events", mapping, recordCount);
    this.#telemetry.observe("batch_size_records", mapping, recordCount);
    this.#track(mapping, 1);
    const startedMs = this.#clock.monotonic();
    const context = {
      requestId,
      functionName,
      functionArn,
      deadlineMs: this.#clock.now() + timeoutMs,
      timeoutMs,
    };
    let outcome: InvocationOutcome;
    try {
      outcome = await target.invoke(payload, context, request.signal);
    } catch (error) {
      // The port forbids it, but a defective target must cost its own batch, not the engine.
      const message = `function target ${functionName} broke its contract: ${describeError(error)}`;
      this.#telemetry.log("error", message, { mapping, requestId });
      outcome = { kind: "functionError", errorType: "Millrace.TargetDefect", message };
    }
    this.#track(mapping, -1);
    const endedMs = this.#clock.monotonic();
    this.#telemetry.invocation(mapping, outcome.kind, endedMs - startedMs);
    if (this.#adaptive !== undefined) this.#adapt(this.#adaptive, outcome.kind, startedMs, endedMs);
    return outcome;
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
