import type { StartPoint } from "../../src/model/record.ts";
import type { ShardReader, StreamSource } from "../../src/ports/stream-source.ts";
import { createKinesisEvents, createRecordFactory } from "./event.ts";
import { FanOutReader } from "./fan-out-reader.ts";
import {
  type HashKeyRange,
  type KinesisApi,
  KinesisFault,
  type KinesisShardEntry,
  throwIfAborted,
} from "./kinesis-api.ts";
import { KnownShards } from "./known-shards.ts";
import { captureLatest } from "./latest.ts";
import { comparePositions } from "./position.ts";
import { IDLE_READ_MS, PollingReader } from "./reader.ts";
import type { ShardQuotas } from "./shard-quota.ts";
import type { StreamArn } from "./stream-arn.ts";

export const KIND = "kinesis";

export interface KinesisSourceOptions {
  readonly arn: StreamArn;
  readonly api: KinesisApi;
  /** Shared by all sources of the process. */
  readonly quotas: ShardQuotas;
  readonly retentionMs: number | undefined;
  readonly idleReadMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export function createKinesisSource(options: KinesisSourceOptions): StreamSource {
  const { arn, api, quotas, retentionMs, idleReadMs = IDLE_READ_MS, now = monotonicMs } = options;
  const known = new KnownShards();
  const turnOf = (shardId: string) => quotas.of(`${arn.region}/${arn.account}/${arn.name}/${shardId}`).turn();
  const hashKeysOf = async (shardId: string, signal: AbortSignal): Promise<HashKeyRange> => {
    const hashKeys = known.hashKeysOf(shardId);
    if (hashKeys !== undefined) return hashKeys;
    known.merge(await api.listShards(signal));
    const listed = known.hashKeysOf(shardId);
    if (listed === undefined) throw shardIsUnknown(arn, shardId);
    return listed;
  };
  const openReader = async (
    shardId: string,
    start: StartPoint,
    signal: AbortSignal,
  ): Promise<ShardReader> => {
    const makeRecord = createRecordFactory(arn, shardId);
    const onChildShards = (shards: readonly KinesisShardEntry[]) => known.add(shards);
    const common = { api, shardId, start, makeRecord, onChildShards };
    if (arn.consumerArn === undefined)
      return new PollingReader({ ...common, turn: turnOf(shardId), idleReadMs });
    return new FanOutReader({ ...common, hashKeys: await hashKeysOf(shardId, signal), now });
  };
  return {
    description: {
      kind: KIND,
      eventSourceArn: arn.arn,
      batchInfoName: "KinesisBatchInfo",
      arrivalPrecision: "milliseconds",
      retentionMs,
    },
    events: createKinesisEvents(arn.arn),
    async listShards(signal) {
      throwIfAborted(signal);
      return known.merge(await api.listShards(signal));
    },
    captureLatest: (shardId, signal) => captureLatest(api, shardId, turnOf(shardId), signal),
    async openReader(shardId, start, signal) {
      throwIfAborted(signal);
      return await openReader(shardId, start, signal);
    },
    comparePositions,
    async close() {
      api.close();
    },
  };
}

function monotonicMs(): number {
  return performance.now();
}

function shardIsUnknown({ arn }: StreamArn, shardId: string): KinesisFault {
  return new KinesisFault(
    "notFound",
    `${arn} has no shard ${shardId}: it never had, or retention has ended all its records and the shard itself.`,
  );
}
