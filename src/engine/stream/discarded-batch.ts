import type { FailureCondition, FailureRecord } from "../../model/failure-record.ts";
import type { StreamRecord } from "../../model/record.ts";
import type { BatchTrace } from "../trace/batch-trace.ts";
import { carriersOf } from "../trace/carriers.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { itemIdentifier } from "./item-identifier.ts";
import type { Segment } from "./segment.ts";
import type { BatchSource, ShardContext } from "./shard-context.ts";
import { eventOrNothing } from "./throwing-source.ts";
import type { OpenWindow } from "./tumbling-window.ts";

export interface DiscardedBatch {
  readonly segment: Segment;
  /** All of the segment's, or those that have expired. */
  readonly records: readonly BufferedRecord[];
  readonly condition: FailureCondition;
  readonly response: FailureRecord["response"];
  readonly window: OpenWindow | undefined;
  readonly trace: BatchTrace | undefined;
}

/** Resolves when the destination has accepted it; to `false` when it was stopped before. */
export function deliverDiscarded(context: ShardContext, batch: DiscardedBatch): Promise<boolean> {
  const { delivery, stopSignal, callSignal, source } = context;
  const { records, trace } = batch;
  const carriers = () => carriersOf(source.events, records);
  const record = failureRecordOf(context, batch);
  const items = records.map((each) => each.record);
  return delivery.discard({ record, items, traced: trace && { trace, carriers } }, stopSignal, callSignal);
}

/** What the failure destination gets of a discarded batch (streams §5.7). */
function failureRecordOf(context: ShardContext, batch: DiscardedBatch): FailureRecord {
  const { mapping, source, shardId, clock } = context;
  const { segment, condition } = batch;
  const { batchInfoName, arrivalPrecision, eventSourceArn, bootstrapServers } = source.description;
  const invocations = condition === "RetryAttemptsExhausted" ? segment.failures : segment.invocations;
  const window = batch.window?.asEvent(shardId, segment.windowEnd);
  const first = batch.records[0]?.record;
  const last = batch.records.at(-1)?.record;
  const place =
    first === undefined ? batch.window?.placeOf(segment.windowEnd) : placeOf(first, last ?? first);
  const records = spanOf(source, batch.records);
  return {
    // The same batch discarded again, after a crash before its checkpoint, has the same id.
    id: `${mapping.uuid}/${shardId}/${place}/${condition}`,
    mappingUuid: mapping.uuid,
    requestId: segment.requestId,
    functionArn: mapping.functionArn,
    condition,
    approximateInvokeCount: Math.max(1, invocations),
    response: batch.response && ofVersion(batch.response, segment.executedVersion),
    error: segment.cause,
    timestampMs: clock.now(),
    batch: {
      infoName: batchInfoName,
      shardId,
      eventSourceArn,
      bootstrapServers,
      arrivalPrecision,
      records,
    },
    payload: eventOrNothing(source, batch.records, window),
    window,
  };
}

function ofVersion(response: NonNullable<FailureRecord["response"]>, executedVersion: string | undefined) {
  return executedVersion === undefined ? response : { ...response, executedVersion };
}

/**
 * Where the batch stood. A shard that was made anew, or that lost its end, has other records at the same positions:
 * their arrivals tell them apart, which are the same whenever a record is read.
 */
function placeOf(first: StreamRecord, last: StreamRecord): string {
  const arrival = first.arrivalMs === undefined ? "" : `@${first.arrivalMs}`;
  return `${first.position}${arrival}/${last.position}`;
}

function spanOf(source: BatchSource, records: readonly BufferedRecord[]): FailureRecord["batch"]["records"] {
  const first = records[0]?.record;
  const last = records.at(-1)?.record;
  if (first === undefined || last === undefined) return undefined;
  return {
    startPosition: itemIdentifier(source, first),
    endPosition: itemIdentifier(source, last),
    firstArrivalMs: first.arrivalMs,
    lastArrivalMs: last.arrivalMs,
    count: records.length,
  };
}
