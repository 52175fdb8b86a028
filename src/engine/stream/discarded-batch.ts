import type { FailureCondition, FailureRecord } from "../../model/failure-record.ts";
import type { TumblingWindow } from "../../model/record.ts";
import type { BufferedRecord, ShardContext } from "./shard-context.ts";

export interface DiscardedBatch {
  readonly records: readonly BufferedRecord[];
  readonly requestId: string;
  readonly condition: FailureCondition;
  readonly approximateInvokeCount: number;
  readonly response: FailureRecord["response"];
  readonly window: TumblingWindow | undefined;
}

/** What the failure destination gets of a discarded batch (streams §5.7). */
export function failureRecordOf(context: ShardContext, batch: DiscardedBatch): FailureRecord {
  const { mapping, source, shardId, clock } = context;
  const { batchInfoName, arrivalPrecision, eventSourceArn } = source.description;
  const records = spanOf(batch.records);
  const place =
    records === undefined
      ? `window/${batch.window?.startMs}`
      : `${records.startPosition}/${records.endPosition}`;
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
    batch: { infoName: batchInfoName, shardId, streamArn: eventSourceArn, arrivalPrecision, records },
    payload: source.events.encode(
      batch.records.map(({ record }) => record),
      batch.window,
    ),
    window: batch.window,
  };
}

function spanOf(records: readonly BufferedRecord[]): FailureRecord["batch"]["records"] {
  const first = records[0]?.record;
  const last = records.at(-1)?.record;
  if (first === undefined || last === undefined) return undefined;
  return {
    startPosition: first.position,
    endPosition: last.position,
    firstArrivalMs: first.arrivalMs,
    lastArrivalMs: last.arrivalMs,
    count: records.length,
  };
}
