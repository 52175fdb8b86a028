import { randomUUID } from "node:crypto";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  type Shard,
  SplitShardCommand,
  UpdateShardCountCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { AWS_TEST_REGION } from "./aws-environment.ts";

export interface NewRecord {
  readonly key: string;
  readonly data: string | Uint8Array;
  /** Of the shard that is to hold it; otherwise the key decides. */
  readonly hashKey?: string;
}

const RECORDS_PER_PUT = 500;
const SETTLE_MS = 20;
const SETTLE_TRIES = 500;

/** The producer's and operator's side of a stream at an emulator. */
export class KinesisTestStream {
  readonly #client: KinesisClient;
  readonly name: string;
  readonly arn: string;

  private constructor(client: KinesisClient, name: string) {
    this.#client = client;
    this.name = name;
    this.arn = `arn:aws:kinesis:${AWS_TEST_REGION}:000000000000:stream/${name}`;
  }

  static async create(endpoint: string, shards: number): Promise<KinesisTestStream> {
    const client = new KinesisClient({
      endpoint,
      region: AWS_TEST_REGION,
      requestHandler: new NodeHttpHandler(),
    });
    const stream = new KinesisTestStream(client, `test-${randomUUID()}`);
    await client.send(new CreateStreamCommand({ StreamName: stream.name, ShardCount: shards }));
    await stream.#settled();
    return stream;
  }

  /** In order for each shard. */
  async put(records: readonly NewRecord[]): Promise<void> {
    for (let from = 0; from < records.length; from += RECORDS_PER_PUT) {
      const output = await this.#client.send(
        new PutRecordsCommand({
          StreamName: this.name,
          Records: records.slice(from, from + RECORDS_PER_PUT).map(({ key, data, hashKey }) => ({
            PartitionKey: key,
            Data: typeof data === "string" ? Buffer.from(data) : data,
            ExplicitHashKey: hashKey,
          })),
        }),
      );
      if ((output.FailedRecordCount ?? 0) > 0) throw new Error("the emulator did not take all records");
    }
  }

  async shards(): Promise<readonly Shard[]> {
    const { Shards } = await this.#client.send(new ListShardsCommand({ StreamName: this.name }));
    return Shards ?? [];
  }

  /** A hash key that the shard holds. */
  async hashKeyOf(shardId: string): Promise<string> {
    const shard = (await this.shards()).find((each) => each.ShardId === shardId);
    return shard?.HashKeyRange?.StartingHashKey ?? "0";
  }

  async split(shardId: string): Promise<void> {
    const shard = (await this.shards()).find((each) => each.ShardId === shardId);
    const { StartingHashKey = "0", EndingHashKey = "0" } = shard?.HashKeyRange ?? {};
    const middle = (BigInt(StartingHashKey) + BigInt(EndingHashKey)) / 2n;
    await this.#reshard(
      new SplitShardCommand({
        StreamName: this.name,
        ShardToSplit: shardId,
        NewStartingHashKey: String(middle),
      }),
    );
  }

  async merge(shardIds: readonly [string, string]): Promise<void> {
    const [ShardToMerge, AdjacentShardToMerge] = shardIds;
    await this.#reshard(
      new MergeShardsCommand({ StreamName: this.name, ShardToMerge, AdjacentShardToMerge }),
    );
  }

  /** Splits and merges as the service sees fit, until so many shards are open. */
  async updateShardCount(shards: number): Promise<void> {
    await this.#reshard(
      new UpdateShardCountCommand({
        StreamName: this.name,
        TargetShardCount: shards,
        ScalingType: "UNIFORM_SCALING",
      }),
    );
  }

  /** ARN of a new consumer of the stream, for enhanced fan-out. */
  async registerConsumer(): Promise<string> {
    const { Consumer } = await this.#client.send(
      new RegisterStreamConsumerCommand({ StreamARN: this.arn, ConsumerName: "test" }),
    );
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS * 2));
    return Consumer?.ConsumerARN ?? "";
  }

  close(): void {
    this.#client.destroy();
  }

  async #reshard(command: SplitShardCommand | MergeShardsCommand | UpdateShardCountCommand): Promise<void> {
    const before = (await this.shards()).length;
    if (command instanceof SplitShardCommand) await this.#client.send(command);
    else if (command instanceof MergeShardsCommand) await this.#client.send(command);
    else await this.#client.send(command);
    for (let tries = 0; tries < SETTLE_TRIES; tries++) {
      if ((await this.shards()).length > before) return await this.#settled();
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    }
    throw new Error("the emulator did not reshard");
  }

  async #settled(): Promise<void> {
    for (let tries = 0; tries < SETTLE_TRIES; tries++) {
      const output = await this.#client.send(new DescribeStreamSummaryCommand({ StreamName: this.name }));
      if (output.StreamDescriptionSummary?.StreamStatus === "ACTIVE") return;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    }
    throw new Error("the emulator's stream did not become active");
  }
}
