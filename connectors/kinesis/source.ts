import type { StartPoint } from "../../src/model/record.ts";
import type { ShardReader, StreamSource } from "../../src/ports/stream-source.ts";
import { createKinesisEvents, createRecordFactory } from "./event.ts";
import { FanOutReader } from "./fan-out-reader.ts";
import { KIND } from "./kind.ts";
import {
  type HashKeyRange,
  isFault,
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
import { servesPosition } from "./still-serves.ts";
import type { StreamArn } from "./stream-arn.ts";
import { StreamIdentity } from "./stream-identity.ts";

export interface KinesisSourceOptions {
  readonly arn: StreamArn;
  readonly api: KinesisApi;
  /** Shared by all sources of the process. */
  readonly quotas: ShardQuotas;
  readonly idleReadMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export function createKinesisSource(options: KinesisSourceOptions): StreamSource {
  const { arn, api, quotas, idleReadMs = IDLE_READ_MS, now = monotonicMs } = options;
  const known = new KnownShards();
  const identity = new StreamIdentity(api, now);
  const turnOf = (shardId: string) => quotas.of(`${arn.region}/${arn.account}/${arn.name}/${shardId}`).turn();
  const hashKeysOf = async (shardId: string, signal: AbortSignal): Promise<HashKeyRange> => {
    const hashKeys = known.hashKeysOf(shardId);
    if (hashKeys !== undefined) return hashKeys;
    known.merge(await api.listShards(signal));
    const listed = known.hashKeysOf(shardId);
    if (listed === undefined) throw shardIsUnlisted(arn, shardId, await knowsShard(shardId, signal));
    return listed;
  };
  const knowsShard = async (shardId: string, signal: AbortSignal): Promise<boolean> => {
    throwIfAborted(signal);
    try {
      await api.shardIterator(shardId, { kind: "oldest" }, signal);
      return true;
    } catch (error) {
      if (!isFault(error, "notFound")) throw error;
    }
    identity.doubt();
    // Rejects where it is the whole stream that is not found.
    await api.describeStream(signal);
    return false;
  };
  const openReader = async (
    shardId: string,
    start: StartPoint,
    signal: AbortSignal,
    knownLogId: string | undefined,
  ): Promise<ShardReader> => {
    const makeRecord = createRecordFactory(arn, shardId);
    const onChildShards = (shards: readonly KinesisShardEntry[]) => known.add(shards);
    const common = { api, shardId, start, makeRecord, onChildShards, identity, knownLogId, now };
    if (arn.consumerArn === undefined)
      return new PollingReader({ ...common, turn: turnOf(shardId), idleReadMs });
    return new FanOutReader({ ...common, hashKeys: await hashKeysOf(shardId, signal) });
  };
  return {
    description: {
      kind: KIND,
      eventSourceArn: arn.arn,
      batchInfoName: "KinesisBatchInfo",
      arrivalPrecision: "milliseconds",
    },
    events: createKinesisEvents(arn.arn),
    async listShards(signal) {
      throwIfAborted(signal);
      const shards = known.merge(await api.listShards(signal));
      const logId = await identity.current(signal);
      return logId === undefined ? shards : shards.map((shard) => ({ ...shard, logId }));
    },
    knowsShard,
    captureLatest: (shardId, signal) => captureLatest(api, shardId, turnOf(shardId), signal),
    async openReader(shardId, start, signal, knownLogId) {
      throwIfAborted(signal);
      return await openReader(shardId, start, signal, knownLogId);
    },
    async stillServes(shardId, position, signal, logId) {
      throwIfAborted(signal);
      const current = logId === undefined ? undefined : await identity.current(signal);
      if (current !== undefined && current !== logId) return false;
      return await servesPosition(api, shardId, position, turnOf(shardId), signal);
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

/** Only the service's answer about the shard says that it is gone; a listing that lacks it may lag behind. */
function shardIsUnlisted({ arn }: StreamArn, shardId: string, isKnown: boolean): KinesisFault {
  if (isKnown) {
    return new KinesisFault(
      "unavailable",
      `No listing of ${arn} shows its shard ${shardId} yet. It is tried again.`,
    );
  }
  return new KinesisFault(
    "notFound",
    `${arn} has no shard ${shardId}: it never had, or retention has ended all its records and the shard itself.`,
  );
}
