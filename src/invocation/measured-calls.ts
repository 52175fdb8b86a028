import { describeError } from "../model/errors.ts";
import { withVersion } from "../model/executed-version.ts";
import { passedOnce } from "../model/lineage.ts";
import type { InvocationOutcome, OutcomeKind } from "../model/outcome.ts";
import type { Clock } from "../ports/clock.ts";
import type { Invocation, InvocationBatch } from "../ports/invoker.ts";
import type { ResponseSink } from "../ports/response-sink.ts";
import type { LogFields, Telemetry } from "../ports/telemetry.ts";
import type { OpenSpan } from "../ports/tracing.ts";
import type { CallTracer } from "./call-tracer.ts";
import type { ErrorBook } from "./error-book.ts";
import { LATEST, type Route } from "./function-routes.ts";
import type { Serving } from "./serving.ts";
import { toldOutcome } from "./told-outcome.ts";
import type { VersionFigures } from "./version-figures.ts";

/** A call has ended. Times are monotonic. */
export type OnCallEnded = (kind: OutcomeKind, startedMs: number, endedMs: number) => void;

export interface CallMeasures {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly errors: ErrorBook;
  /** Absent: nothing is traced. */
  readonly tracer?: CallTracer | undefined;
  /** How versions that are watched do. */
  readonly figures?: VersionFigures | undefined;
}

/** Calls that have a place: made, measured and told in the same way, whoever makes them. */
export class MeasuredCalls {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #errors: ErrorBook;
  readonly #tracer: CallTracer | undefined;
  readonly #figures: VersionFigures | undefined;
  readonly #onEnded: OnCallEnded;
  /** Calls that each mapping has in flight. */
  readonly #inFlight = new Map<string, number>();

  constructor({ clock, telemetry, errors, tracer, figures }: CallMeasures, onEnded: OnCallEnded) {
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#errors = errors;
    this.#tracer = tracer;
    this.#figures = figures;
    this.#onEnded = onEnded;
  }

  /** `waitedMs`: for its place. Rejects only with what `call.payload` throws. */
  async run(call: Invocation, serving: Serving, route: Route, waitedMs: number): Promise<InvocationOutcome> {
    const payload = call.payload();
    const { caller, requestId, functionArn } = call;
    const { name: functionName } = serving.fn;
    const { timeoutMs } = route;
    const span = call.beginSpan?.() ?? this.#tracer?.beginCall(call, functionName);
    // Between taking note of it and forgetting it nothing may throw.
    this.#track(call, functionName, 1);
    serving.began();
    const startedMs = this.#clock.monotonic();
    const nowMs = this.#clock.now();
    if (call.batch !== undefined && call.batch.isPrepared !== true)
      this.#countStart(caller.key, call.batch, nowMs);
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
      lineage: passedOnce(call.lineage, functionArn),
    };
    let outcome: InvocationOutcome;
    try {
      outcome = await route.target.invoke(payload, context, call.signal, sinkOf(call, route));
    } catch (error) {
      // The port forbids it, but a defective target must cost its own batch, not the engine.
      // plant: a-call-whose-target-throws-keeps-its-slot
      const message = `function target ${functionName} broke its contract: ${describeError(error)}`;
      this.#telemetry.log("error", message, { ...namesOf(call), traceId: span?.context.traceId });
      outcome = { kind: "functionError", errorType: "Millrace.TargetDefect", message };
    }
    // What a target says of its own versions counts for less: failure records name those of the manifest.
    if (route.version !== LATEST) outcome = withVersion(outcome, route.version);
    outcome = toldOutcome(this.#errors, serving.fn, timeoutMs, call, outcome);
    this.#track(call, functionName, -1);
    serving.ended();
    span?.end(outcome);
    const endedMs = this.#clock.monotonic();
    this.#figures?.note(functionName, route.version, outcome.kind, startedMs, endedMs);
    if (caller.kind === "mapping") this.#telemetry.invocation(caller.key, outcome.kind, endedMs - startedMs);
    this.#telemetry.functionCall(functionName, caller.kind, outcome.kind, endedMs - startedMs, waitedMs);
    if (this.#telemetry.logsDebug) this.#tell(call, outcome.kind, endedMs - startedMs, span);
    this.#onEnded(outcome.kind, startedMs, endedMs);
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

  #track({ caller: { kind, key } }: Invocation, functionName: string, change: 1 | -1): void {
    this.#telemetry.functionRunning(functionName, change);
    if (kind !== "mapping") return;
    const inFlight = (this.#inFlight.get(key) ?? 0) + change;
    if (inFlight === 0) this.#inFlight.delete(key);
    else this.#inFlight.set(key, inFlight);
    this.#telemetry.gauge("in_flight_invocations", key, inFlight);
  }
}

/** The version that a name meant goes to whoever reads, before the response. */
function sinkOf({ sink }: Invocation, { version }: Route): ResponseSink | undefined {
  if (sink === undefined || version === LATEST) return sink;
  return {
    open: (head) => sink.open({ ...head, executedVersion: version }),
    write: (chunk) => sink.write(chunk),
  };
}

function namesOf({ caller: { kind, key, shardId }, requestId }: Invocation): LogFields {
  return { mapping: kind === "mapping" ? key : undefined, shardId, requestId };
}
