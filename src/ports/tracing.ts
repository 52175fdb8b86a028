import type { CallerKind } from "../model/caller.ts";
import type { FailureCondition } from "../model/failure-record.ts";
import type { InvocationOutcome, OutcomeKind } from "../model/outcome.ts";
import type { RemoteContext, SpanContext } from "../model/trace-context.ts";

/**
 * Where the engine's spans go, and which of them it makes. Without one nothing is traced, and no trace header is read.
 */
export interface Tracing {
  readonly sampling: Sampling;
  /** Links of one span, at most. */
  readonly linksMax: number;
  /** Gets sampled spans once they have ended. Cheap; never throws; may drop. */
  record(span: Span): void;
}

export interface Sampling {
  /** Share of the traces that are sampled where nobody else has decided, 0…1. */
  readonly ratio: number;
  /** A batch that goes on with the trace of its records is sampled as that trace is. */
  readonly followsParent: boolean;
}

/** What is worked on. Fixed for a shard or a queue. */
export interface TraceSubject {
  readonly mapping: string;
  readonly mappingUuid: string;
  readonly functionName: string;
  readonly functionArn: string;
  /** Kind of the connector. */
  readonly sourceKind: string;
  readonly eventSourceArn: string | undefined;
  readonly shardId: string | undefined;
  /** Where the ARN does not tell it. */
  readonly sourceName: string | undefined;
  readonly consumerGroup: string | undefined;
  readonly destination: string | undefined;
}

export type Span = InvocationSpan | DeliverySpan | CallSpan;

interface EndedSpan {
  readonly context: SpanContext;
  readonly parent: RemoteContext | undefined;
  /** Epoch milliseconds. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly requestId: string;
  /** What went wrong, in a word from a small set or a function's error type; never content. */
  readonly problem: string | undefined;
}

interface MappingSpan extends EndedSpan {
  readonly subject: TraceSubject;
  readonly records: number;
}

/** One call of a function that is of no batch: by Lambda's Invoke. */
export interface CallSpan extends EndedSpan {
  readonly kind: "call";
  readonly callerKind: CallerKind;
  readonly functionName: string;
  /** As the caller named it. */
  readonly functionArn: string;
  readonly outcome: OutcomeKind;
  /** `undefined`: `$LATEST`, or none. */
  readonly executedVersion: string | undefined;
}

/** One call of a function with a batch. */
export interface InvocationSpan extends MappingSpan {
  readonly kind: "invocation";
  readonly outcome: OutcomeKind;
  /** 1 for the first call with this request id. */
  readonly attempt: number;
  /** Contexts with a span that the records came with, those of the first records if there are too many. */
  readonly links: readonly RemoteContext[];
  readonly linksDropped: number;
}

/** One try to hand a failure record to its destination. */
export interface DeliverySpan extends MappingSpan {
  readonly kind: "delivery";
  readonly condition: FailureCondition;
}

/** A span that has begun. */
export interface OpenSpan {
  readonly context: SpanContext;
  end(outcome: InvocationOutcome): void;
}
