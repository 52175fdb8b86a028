import { spanProblem } from "../../invocation/span-maker.ts";
import type { FailureCondition } from "../../model/failure-record.ts";
import {
  type RemoteContext,
  readTraceCarrier,
  type SpanContext,
  type TraceCarrier,
  traceparentOf,
} from "../../model/trace-context.ts";
import type { OpenSpan } from "../../ports/tracing.ts";
import type { Tracer } from "./tracer.ts";

/** By record, in order; `undefined`: it carries none. */
export type TraceCarriers = readonly (TraceCarrier | undefined)[];

export interface TracedAttempt {
  readonly requestId: string;
  readonly carriers: TraceCarriers;
}

/**
 * The trace of one batch: all attempts, those of the parts that it is split into, and the deliveries of what is given
 * up. A batch whose records all come from one trace goes on with that trace. Any other begins its own, whose spans are
 * linked to what their records came with: a span has one parent, and a batch may have a hundred.
 */
export class BatchTrace {
  readonly #tracer: Tracer;
  /** The parent of all further spans of the batch, but deliveries. */
  #parent: RemoteContext | undefined;
  /** The newest invocation. */
  #last: SpanContext | undefined;
  #requestId = "";
  #attempt = 0;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** `undefined` before its first span. */
  get traceId(): string | undefined {
    return this.#last?.traceId ?? this.#parent?.traceId;
  }

  /** `traceparent` of the newest invocation. `undefined`: there was none. */
  get traceparent(): string | undefined {
    return this.#last && traceparentOf(this.#last);
  }

  beginAttempt({ requestId, carriers }: TracedAttempt): OpenSpan {
    const { contexts, carried } = readCarriers(carriers, this.#tracer.linksMax);
    this.#attempt = requestId === this.#requestId ? this.#attempt + 1 : 1;
    this.#requestId = requestId;
    const attempt = this.#attempt;
    const parent = this.#parentFor(contexts, carriers.length);
    const context = parent === undefined ? this.#tracer.begin() : this.#tracer.goOn(parent);
    this.#parent = parent ?? context;
    this.#last = context;
    const { clock, subject } = this.#tracer;
    const startMs = clock.now();
    const startedMs = clock.monotonic();
    return {
      context,
      end: (outcome) =>
        this.#tracer.record({
          kind: "invocation",
          context,
          parent,
          subject,
          startMs,
          durationMs: clock.monotonic() - startedMs,
          requestId,
          records: carriers.length,
          problem: spanProblem(outcome),
          outcome: outcome.kind,
          attempt,
          links: contexts.filter(({ spanId }) => spanId !== undefined),
          linksDropped: carried - contexts.length,
        }),
    };
  }

  /**
   * Begins the span of a delivery: records are given up, after their last attempt or without one. The function that is
   * returned ends it.
   */
  beginDelivery(delivery: {
    readonly requestId: string;
    readonly condition: FailureCondition;
    readonly carriers: TraceCarriers;
  }): (problem: string | undefined) => void {
    const { requestId, condition, carriers } = delivery;
    const { contexts } = readCarriers(carriers, this.#tracer.linksMax);
    const parent = this.#last ?? this.#parentFor(contexts, carriers.length);
    const context = parent === undefined ? this.#tracer.begin() : this.#tracer.goOn(parent);
    this.#parent ??= parent ?? context;
    const { clock, subject } = this.#tracer;
    const startMs = clock.now();
    const startedMs = clock.monotonic();
    return (problem) =>
      this.#tracer.record({
        kind: "delivery",
        context,
        parent,
        subject,
        startMs,
        durationMs: clock.monotonic() - startedMs,
        requestId,
        records: carriers.length,
        problem,
        condition,
      });
  }

  #parentFor(contexts: readonly RemoteContext[], records: number): RemoteContext | undefined {
    if (this.#parent !== undefined) return this.#parent;
    const [first] = contexts;
    const isOneTrace =
      contexts.length === Math.min(records, this.#tracer.linksMax) &&
      contexts.every(({ traceId }) => traceId === first?.traceId);
    return isOneTrace ? first : undefined;
  }
}

/** The contexts of the first records that have one, and how many records have something that looks like one. */
function readCarriers(carriers: TraceCarriers, contextsMax: number) {
  const contexts: RemoteContext[] = [];
  let carried = 0;
  for (const carrier of carriers) {
    if (carrier === undefined) continue;
    if (contexts.length === contextsMax) {
      carried++;
      continue;
    }
    const context = readTraceCarrier(carrier);
    if (context === undefined) continue;
    carried++;
    contexts.push(context);
  }
  return { contexts, carried };
}
