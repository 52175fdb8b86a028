import { openKinesisSource } from "../../connectors/kinesis/connector.ts";
import { ShardQuotas } from "../../connectors/kinesis/shard-quota.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { KinesisTestStream } from "../servers/kinesis-stream.ts";
import type { StreamFixture } from "./stream-source-harness.ts";

/** Emulators have no quota: paces are proven with a fake clock, and not waited for here. */
const FAST = { callsPerSecond: 1_000, bytesPerSecond: 1e9 };

export interface KinesisFixtureOptions {
  readonly endpoint: string;
  readonly shards: number;
  /** ARN to read by: the stream's own or a consumer's. */
  readonly arnOf?: (stream: KinesisTestStream) => Promise<string>;
  /** How long the emulator takes until readers see a record. */
  readonly visibleAfterMs?: number;
}

export async function createKinesisFixture(options: KinesisFixtureOptions): Promise<StreamFixture> {
  const { endpoint, shards, visibleAfterMs = 0, arnOf = async ({ arn }) => arn } = options;
  const stream = await KinesisTestStream.create(endpoint, shards);
  const sources: StreamSource[] = [];
  const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  return {
    async openSource() {
      const source = await openFastSource(await arnOf(stream));
      sources.push(source);
      return source;
    },
    async append(shardId, records) {
      const hashKey = await stream.hashKeyOf(shardId);
      await stream.put(records.map(({ key, data }) => ({ key, data, hashKey })));
      if (visibleAfterMs > 0) await pause(visibleAfterMs);
    },
    split: (shardId) => stream.split(shardId),
    merge: (shardIds) => stream.merge(shardIds),
    trimBefore: () => Promise.reject(new Error("emulators trim by age only")),
    expireIterators: () => Promise.reject(new Error("an emulator's iterators live five minutes")),
    pause,
    dataOf(event) {
      const { Records } = event as { Records: readonly { kinesis: { data: string } }[] };
      return Records.map((record) => Buffer.from(record.kinesis.data, "base64").toString());
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map((source) => source.close()));
      stream.close();
    },
  };
}

export function openFastSource(arn: string): Promise<StreamSource> {
  return openKinesisSource(arn, {
    quotas: new ShardQuotas(FAST, () => performance.now()),
    idleReadMs: 1,
  });
}
