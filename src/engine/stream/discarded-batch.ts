import type { FailureCondition, FailureRecord } from "../../model/failure-record.ts";
import type { StreamRecord, TumblingWindow } from "../../model/record.ts";
import type { StreamSource } from "../../ports/stream-source.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { itemIdentifier } from "./item-identifier.ts";
import type { ShardContext } from "./shard-context.ts";
import { eventOrNothing } from "./throwing-source.ts";

export interface DiscardedBatch {
  readonly records: readonly BufferedRecord[];
  readonly requestId: string;
  readonly condition: FailureCondition;
  readonly approximateInvokeCount: number;
  readonly response: FailureRecord["response"];
  readonly window: TumblingWindow | undefined;
  /** What tells a last invocation of a tumbling window, which has no records, from every other one. */
  readonly windowPlace: string | undefined;
}

/** What the failure destination gets of a discarded batch (streams §5.7). */
export function failureRecordOf(context: ShardContext, batch: DiscardedBatch): FailureRecord {
  const { mapping, source, shardId, clock } = context;
  const { batchInfoName, arrivalPrecision, eventSourceArn, bootstrapServers } = source.description;
  const first = batch.records[0]?.record;
  const last = batch.records.at(-1)?.record;
  const place = first === undefined ? batch.windowPlace : placeOf(first, last ?? first);
  const records = spanOf(source, batch.records);
  return {
    // The same batch discarded again, after a crash before its checkpoint, has the same id.
    id: `${mapping.uuid}/${shardId}/${place}/${batch.condition}`,
    mappingUuid: mapping.uuid,
    requestId: batch.requestId,
    functionArn: mapping.functionArn,
    condition: batch.condition,
    approximateInvokeCount: batch.approximateInvokeCount,
    response: batch.response,
    timestampMs: clock.now(),
    batch: {
      infoName: batchInfoName,
      shardId,
      eventSourceArn,
      bootstrapServers,
      arrivalPrecision,
      records,
    },
    payload: eventOrNothing(source, batch.records, batch.window),
    window: batch.window,
  };
}

/**
 * Where the batch stood. A shard that was made anew, or that lost its end, has other records at the same positions:
 * their arrivals tell them apart, which are the same whenever a record is read.
 */
function placeOf(first: StreamRecord, last: StreamRecord): string {
  const arrival = first.arrivalMs === undefined ? "" : `@${first.arrivalMs}`;
  return `${first.position}${arrival}/${last.position}`;
}

function spanOf(source: StreamSource, records: readonly BufferedRecord[]): FailureRecord["batch"]["records"] {
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
