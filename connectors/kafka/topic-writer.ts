import { Partitioners } from "kafkajs";
import type { KafkaCluster, TopicPartition } from "./cluster.ts";
import { KafkaFault } from "./fault.ts";
import { faultOfCode } from "./kafkajs-errors.ts";

/** All in-sync replicas have the messages before the broker answers. */
const ACKS_ALL = -1;
const PRODUCE_TIMEOUT_MS = 10_000;
/** How far a broker's bound, 1 MiB unless set otherwise, is for one batch: of several messages, or of one large one. */
const BATCH_BYTES_MAX = 512 * 1024;
/** Larger ones are compressed: an event is base64, and a record of almost the bound must not outgrow it. */
const PLAIN_BYTES_MAX = 64 * 1024;
const NOT_COMPRESSED = 0;
const GZIP = 1;

export interface TopicMessage {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** Messages that lie one behind the other. */
export interface TopicRange {
  readonly partition: number;
  /** Offset of the first. */
  readonly from: string;
  readonly count: number;
}

/** Writes messages into a topic, each once, durable on all in-sync replicas. Those of one key stay in their order. */
export class TopicWriter {
  readonly #cluster: KafkaCluster;
  readonly #topic: string;
  /** As Kafka's own producers: equal keys to one partition, keyless messages in turn. */
  readonly #partitionOf = Partitioners.DefaultPartitioner();
  #partitions: readonly TopicPartition[] | undefined;

  constructor(cluster: KafkaCluster, topic: string) {
    this.#cluster = cluster;
    this.#topic = topic;
  }

  /** Resolves to where they are. @throws KafkaFault when some may not have been written. */
  async write(messages: readonly TopicMessage[], signal: AbortSignal): Promise<readonly TopicRange[]> {
    try {
      return await this.#writeAll(messages, signal);
    } catch (error) {
      // Leaders may have moved, or partitions been added.
      this.#partitions = undefined;
      throw error;
    }
  }

  async #writeAll(messages: readonly TopicMessage[], signal: AbortSignal): Promise<readonly TopicRange[]> {
    const ranges: TopicRange[] = [];
    this.#partitions ??= await this.#cluster.topic(this.#topic, signal);
    const leaders = this.#partitions;
    const byPartition = Map.groupBy(messages, ({ key }) => this.#choose(key, leaders));
    for (const [partition, own] of byPartition) {
      const leader = leaders.find((each) => each.partition === partition)?.leader;
      if (leader === undefined)
        throw new KafkaFault("unreachable", `Partition ${partition} of "${this.#topic}" has no leader now.`);
      for (const batch of batchesOf(own)) {
        const from = await this.#produce(leader, partition, batch, signal);
        if (from !== undefined) ranges.push({ partition, from, count: batch.length });
      }
    }
    return ranges;
  }

  #choose(key: Buffer | null, partitions: readonly TopicPartition[]): number {
    const partitionMetadata = partitions.map(({ partition, leader }) => ({
      partitionId: partition,
      leader: leader ?? -1,
      partitionErrorCode: 0,
      replicas: [],
      isr: [],
    }));
    return this.#partitionOf({ topic: this.#topic, partitionMetadata, message: { key, value: null } });
  }

  async #produce(
    leader: number,
    partition: number,
    batch: readonly TopicMessage[],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const link = await this.#cluster.broker(leader, "control", signal);
    const timestamp = String(Date.now());
    const answer = await link.request(
      "Produce",
      {
        acks: ACKS_ALL,
        timeout: PRODUCE_TIMEOUT_MS,
        compression: bytesOf(batch) > PLAIN_BYTES_MAX ? GZIP : NOT_COMPRESSED,
        topicData: [
          {
            topic: this.#topic,
            partitions: [{ partition, messages: batch.map((message) => ({ ...message, timestamp })) }],
          },
        ],
      },
      { signal, timeoutMs: PRODUCE_TIMEOUT_MS, leavesErrors: true },
    );
    const partitions = answer.topics.flatMap((each) => each.partitions);
    for (const { errorCode } of partitions) {
      if (errorCode === 0) continue;
      throw faultOfCode(errorCode, { action: "Produce", broker: link.address, usesTls: false });
    }
    return partitions[0]?.baseOffset;
  }
}

/** In order. A message that is larger than a batch should be goes alone. */
function batchesOf(messages: readonly TopicMessage[]): readonly (readonly TopicMessage[])[] {
  const batches: TopicMessage[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const last = batches.at(-1);
    bytes += bytesOf([message]);
    if (last !== undefined && bytes <= BATCH_BYTES_MAX) {
      last.push(message);
      continue;
    }
    batches.push([message]);
    bytes = bytesOf([message]);
  }
  return batches;
}

/** What a message's headers and framing take. */
const HEADER_BYTES = 200;

function bytesOf(messages: readonly TopicMessage[]): number {
  return messages.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + value.length + HEADER_BYTES, 0);
}
