import type { FunctionExplanation } from "../invocation/function-explanation.ts";
import { RepeatedLines } from "../lib/repeated-lines.ts";
import type { Caller } from "../model/caller.ts";
import type { FailureCondition } from "../model/failure-record.ts";
import type { FailureCause } from "../model/function-error.ts";
import type { StreamMapping } from "../model/mapping.ts";
import { type Reason, reason } from "../model/reason.ts";
import type { Position, StreamRecord } from "../model/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { Invoker } from "../ports/invoker.ts";
import type { Random } from "../ports/random.ts";
import type { StreamDescription, StreamEvents } from "../ports/stream-source.ts";
import type { LogFields, Telemetry } from "../ports/telemetry.ts";
import type { TraceSubject, Tracing } from "../ports/tracing.ts";
import { batchReason } from "./batch-reasons.ts";
import type { MappingDeployment } from "./engine.ts";
import { FailureDelivery } from "./invoke/failure-delivery.ts";
import type { EngineSettings } from "./settings.ts";
import { BatchRun } from "./stream/batch-run.ts";
import type { BufferedRecord } from "./stream/buffered-record.ts";
import { Expiry } from "./stream/expiry.ts";
import type { BatchSource, ShardContext } from "./stream/shard-context.ts";
import { SourceOutages } from "./stream/source-outages.ts";
import { queueSubject, streamSubject } from "./trace/trace-subject.ts";
import { Tracer } from "./trace/tracer.ts";

/** A record that was read long ago, of which nothing is left but its element of the event. */
export interface ParkedRecord {
  /** What the caller calls it. */
  readonly seq: number;
  readonly position: Position;
  readonly itemId: string;
  readonly key: string | undefined;
  readonly arrivalMs: number | undefined;
  readonly element: Uint8Array;
  /** `traceparent` of the attempt that it was given up after: spans of this one are linked to it. */
  readonly trace?: string | undefined;
}

/** The events of the source that the records came from, a stream or a queue. */
export interface ParkedEvents
  extends Pick<StreamEvents, "eventOf" | "envelopeBytes" | "readItemIdentifier" | "partialRetry"> {
  readonly eventSourceArn: string | undefined;
  readonly oversizedRecord: StreamDescription["oversizedRecord"] | undefined;
}

/** Where parked records are handed over: all that a batch of a live shard has, but for the shard. */
export interface ParkedBatchContext {
  readonly mapping: Pick<StreamMapping, "uuid" | "name" | "functionName" | "functionArn"> & {
    readonly reportBatchItemFailures: boolean;
  };
  readonly shardId: string;
  readonly events: ParkedEvents;
  /** Tries of one record behind the first. */
  readonly retriesMax: number;
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly subject: () => TraceSubject;
  readonly invoker: Invoker;
  readonly caller: Caller;
  /** Aborts when nothing new may start: ends waits. */
  readonly stopSignal: AbortSignal;
  /** Aborts when running calls are given up: what comes back then says nothing. */
  readonly callSignal: AbortSignal;
  mayStart(): boolean;
  requestIdOf(seqs: readonly number[]): string;
  /** These are over. */
  settle(seqs: readonly number[]): void;
  /** These have failed to the end. */
  fail(seqs: readonly number[], condition: FailureCondition, cause: FailureCause | undefined): void;
  /** How an attempt went: `undefined`, or in a word what went wrong. */
  report(problem: string | undefined, where: LogFields): void;
}

/** A batch that runs. */
export interface ParkedBatch {
  /** `false`: stopped before all of its records came to an end. */
  readonly ended: Promise<boolean>;
  /** What it waits for. */
  reason(fn: FunctionExplanation, nowMs: number): Reason;
}

/**
 * Runs parked records as a batch of their mapping: attempts, retries, halves, partial responses, all as a live one. Its
 * records are of one shard, and in order.
 */
export function runParkedBatch(context: ParkedBatchContext, records: readonly ParkedRecord[]): ParkedBatch {
  const { clock } = context;
  const read = {
    monotonicMs: clock.monotonic(),
    wallMs: clock.now(),
    answeredMs: undefined,
    logId: undefined,
  };
  const key = records[0]?.key;
  const isOfKey = key !== undefined && records.every((record) => record.key === key);
  const buffered = records.map((record): BufferedRecord => {
    const { length } = record.element;
    const streamRecord: RecordOfParked = { ...record, bytes: length, encodedBytes: length };
    return { record: streamRecord, ordinal: record.seq, read };
  });
  const ofKey = isOfKey ? { routingKey: key } : {};
  const run = new BatchRun({ ...shardContext(context), ...ofKey }, undefined);
  return {
    ended: run.run(buffered),
    reason(fn, nowMs) {
      const batch = run.explain();
      return batch === undefined
        ? reason("progressing")
        : batchReason(batch, { fn, destination: undefined, nowMs });
    },
  };
}

/** Whom the spans of parked records tell of. */
export function parkedSubject(deployment: MappingDeployment, shardId: string): TraceSubject {
  return deployment.kind === "stream"
    ? streamSubject(deployment.mapping, deployment.source.description, shardId)
    : queueSubject(deployment.mapping, deployment.source.description);
}

interface RecordOfParked extends StreamRecord, ParkedRecord {}

function shardContext(context: ParkedBatchContext): ShardContext {
  const { clock, random, telemetry, settings, callSignal } = context;
  const mapping = mappingOf(context);
  const outages = new SourceOutages(clock, random);
  const lines = new RepeatedLines(clock, telemetry);
  return {
    ...context,
    mapping,
    source: sourceOf(context.events, context.shardId),
    tracer: tracerOf(context),
    delivery: new FailureDelivery({
      mapping: mapping.name,
      destination: undefined,
      telemetry,
      limits: settings,
      outages,
      lines,
      clock,
    }),
    expiry: new Expiry({ recordAgeMsMax: undefined }),
    startPermission: () => (context.mayStart() ? "start" : "stop"),
    isClosed: () => callSignal.aborted,
    settle: (records) => context.settle(seqsOf(records)),
    park: (records, condition, cause) => context.fail(seqsOf(records), condition, cause),
    requestIdOf: (records) => context.requestIdOf(seqsOf(records)),
    windowChanged: () => undefined,
  };
}

function tracerOf({ tracing, subject, clock, random }: ParkedBatchContext): Tracer | undefined {
  return tracing && new Tracer({ tracing, clock, random, subject: subject() });
}

/** Halves find the record that fails, whatever the mapping says: its neighbours are not to fail with it. */
function mappingOf({ mapping, retriesMax, events }: ParkedBatchContext): StreamMapping {
  return {
    ...mapping,
    eventSourceArn: events.eventSourceArn,
    enabled: true,
    startingPosition: { kind: "TRIM_HORIZON" },
    batchSize: 1,
    batchingWindowMs: 0,
    parallelizationFactor: 1,
    retryAttemptsMax: retriesMax,
    recordAgeMsMax: undefined,
    bisectBatchOnFunctionError: true,
    tumblingWindowMs: 0,
    filterPatterns: [],
    onFailureDestination: undefined,
  };
}

/** The engine hands back only the records that it was given, and those are these. */
function sourceOf(parkedEvents: ParkedEvents, shardId: string): BatchSource {
  const { eventSourceArn, oversizedRecord, eventOf, ...events } = parkedEvents;
  const parked = (record: StreamRecord) => record as RecordOfParked;
  return {
    // No failure record is made of what is parked, which would show the rest.
    description: {
      eventSourceArn,
      ...(oversizedRecord === undefined ? {} : { oversizedRecord }),
    } as StreamDescription,
    // Asked only about records that a source may serve no more: these are here.
    comparePositions: () => 0,
    events: {
      ...events,
      eventOf,
      encode: (records) =>
        eventOf(
          shardId,
          records.map((record) => parked(record).element),
        ),
      element: (record) => parked(record).element,
      itemIdentifier: (record) => parked(record).itemId,
      filterDocument: () => ({ document: undefined, isDataJson: false }),
      filterDataKey: "",
      traceCarrier(record) {
        const traceparent = parked(record).trace;
        return traceparent === undefined ? undefined : { traceparent };
      },
    },
  };
}

function seqsOf(records: readonly BufferedRecord[]): readonly number[] {
  return records.map(({ ordinal }) => ordinal);
}
