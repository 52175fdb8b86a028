import { setTimeout as sleep } from "node:timers/promises";
import PQueue from "p-queue";
import { hasErrorCode, MillraceError } from "../../src/model/errors.ts";
import type { Shard, StartPoint } from "../../src/model/record.ts";
import type { ShardReader, StreamSource } from "../../src/ports/stream-source.ts";
import { createDynamodbEvents, createRecordFactory } from "./event.ts";
import { KIND } from "./kind.ts";
import { captureLatestPoint } from "./latest-point.ts";
import { comparePositions, parsePosition } from "./position.ts";
import { DynamodbShardReader, type Place } from "./reader.ts";
import { type Pause, ShardListing } from "./shard-listing.ts";
import { servesPosition } from "./still-serves.ts";
import type { ShardEntry, StreamApi } from "./stream-api.ts";
import type { StreamArn } from "./stream-arn.ts";

const RETENTION_MS = 24 * 60 * 60 * 1000;
/** A stream may have hundreds of shards, and all their latest points are asked for at once. */
const CAPTURES_AT_ONCE = 8;

export interface SourceSystem {
  monotonic(): number;
  readonly pause: Pause;
}

const SYSTEM: SourceSystem = {
  monotonic: () => performance.now(),
  pause: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** A stream of a DynamoDB table. `system` is another one in tests only. */
export function createDynamodbSource(
  arn: StreamArn,
  api: StreamApi,
  system: SourceSystem = SYSTEM,
): StreamSource {
  const listing = new ShardListing(api, arn.arn, system.pause);
  const captures = new PQueue({ concurrency: CAPTURES_AT_ONCE });

  const openReader = async (
    shardId: string,
    start: StartPoint,
    signal: AbortSignal,
    knownLogId?: string,
  ): Promise<ShardReader> => {
    throwIfAborted(arn, signal);
    const makeRecord = createRecordFactory(arn, await listing.partitionKeyName(signal));
    return new DynamodbShardReader({
      api,
      shardId,
      place: placeOf(start, arn),
      logId: arn.arn,
      knownLogId,
      retentionMs: RETENTION_MS,
      makeRecord,
      monotonic: system.monotonic,
    });
  };
  const captureLatest = (shardId: string, signal: AbortSignal): Promise<StartPoint> =>
    captures.add(async () => {
      throwIfAborted(arn, signal);
      return captureLatestPoint({ api, listing, shardId }, signal);
    });
  return {
    description: {
      kind: KIND,
      eventSourceArn: arn.arn,
      batchInfoName: "DDBStreamBatchInfo",
      arrivalPrecision: "seconds",
    },
    events: createDynamodbEvents(arn.arn),
    async listShards(signal) {
      throwIfAborted(arn, signal);
      return (await listing.list(signal)).map((entry) => ({ ...toShard(entry), logId: arn.arn }));
    },
    captureLatest,
    openReader,
    async knowsShard(shardId, signal) {
      throwIfAborted(arn, signal);
      try {
        await api.openIterator(shardId, { kind: "oldest" }, signal);
        return true;
      } catch (error) {
        if (!hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND")) throw error;
      }
      // Rejects where it is the whole stream that is not found.
      await api.describe(undefined, signal);
      return false;
    },
    async stillServes(shardId, position, signal, logId) {
      throwIfAborted(arn, signal);
      if (logId !== undefined && logId !== arn.arn) return false;
      return await servesPosition(api, shardId, position, signal);
    },
    comparePositions,
    async close() {
      api.close();
    },
  };
}

/** A shard has at most one parent: DynamoDB splits and rolls over, and never merges (streams §7). */
function toShard({ shardId, parentShardId, endingSequenceNumber }: ShardEntry): Shard {
  return {
    shardId,
    parentShardIds: parentShardId === undefined ? [] : [parentShardId],
    closed: endingSequenceNumber !== undefined,
  };
}

function placeOf(start: StartPoint, { arn }: StreamArn): Place {
  switch (start.kind) {
    case "oldest":
      return start;
    case "after": {
      const position = parsePosition(start.position);
      return typeof position === "string"
        ? { kind: "after", sequenceNumber: position }
        : { kind: "latest", ...position };
    }
    case "timestamp":
      throw new MillraceError(
        "ERR_MILLRACE_CONFIG",
        `Unsupported starting position for arn type: ${arn}. Give TRIM_HORIZON or LATEST.`,
      );
  }
}

function throwIfAborted({ arn }: StreamArn, signal: AbortSignal): void {
  if (signal.aborted) {
    throw new MillraceError("ERR_MILLRACE_ABORTED", `The caller stopped reading ${arn}.`);
  }
}
