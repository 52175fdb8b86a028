import type { StartPoint } from "../../src/model/record.ts";
import type { ShardReader, StreamSource } from "../../src/ports/stream-source.ts";
import { createKinesisEvents, createRecordFactory } from "./event.ts";
import { type KinesisApi, throwIfAborted } from "./kinesis-api.ts";
import { KnownChildren } from "./known-children.ts";
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
}

export function createKinesisSource(options: KinesisSourceOptions): StreamSource {
  const { arn, api, quotas, retentionMs, idleReadMs = IDLE_READ_MS } = options;
  const children = new KnownChildren();
  const turnOf = (shardId: string) => quotas.of(`${arn.region}/${arn.account}/${arn.name}/${shardId}`).turn();
  const openReader = (shardId: string, start: StartPoint): ShardReader => {
    const makeRecord = createRecordFactory(arn, shardId);
    return new PollingReader({
      api,
      shardId,
      start,
      turn: turnOf(shardId),
      makeRecord,
      onChildShards: (shards) => children.add(shards),
      idleReadMs,
    });
  };
  return {
    description: {
      kind: KIND,
      eventSourceArn: arn.arn,
      batchInfoName: "KinesisBatchInfo",
      arrivalPrecision: "milliseconds",
      retentionMs,
      coordination: "leases",
    },
    events: createKinesisEvents(arn.arn),
    async listShards(signal) {
      throwIfAborted(signal);
      return children.merge(await api.listShards(signal));
    },
    captureLatest: (shardId, signal) => captureLatest(api, shardId, turnOf(shardId), signal),
    async openReader(shardId, start, signal) {
      throwIfAborted(signal);
      return openReader(shardId, start);
    },
    comparePositions,
    async close() {
      api.close();
    },
  };
}
