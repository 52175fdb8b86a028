import { Partitioners } from "kafkajs";
import { MillraceError } from "../../src/model/errors.ts";
import type { FailureRecord } from "../../src/model/failure-record.ts";
import type { Destination } from "../../src/ports/destination.ts";
import type { KafkaCluster, TopicPartition } from "./cluster.ts";
import { type FailureMessage, failureMessages } from "./failure-messages.ts";
import { KafkaFault, throwIfAborted } from "./fault.ts";
import { faultOfCode } from "./kafkajs-errors.ts";

/** Name of the header that holds a message's id; consumers that must not act twice tell repeats by it. */
export const FAILURE_ID_HEADER = "millrace-failure-id";

/** All in-sync replicas have the messages before the broker answers. */
const ACKS_ALL = -1;
const PRODUCE_TIMEOUT_MS = 10_000;
/** How far a broker's bound, 1 MiB unless set otherwise, is for one batch: of several messages, or of one large one. */
const BATCH_BYTES_MAX = 512 * 1024;
/** Larger ones are compressed: an event is base64, and a record of almost the bound must not outgrow it. */
const PLAIN_BYTES_MAX = 64 * 1024;
const NOT_COMPRESSED = 0;
const GZIP = 1;

/** Codes that no other try will change: the message itself is refused. */
const REFUSALS = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"];

export interface TopicDestinationOptions {
  /** Closed with the destination. */
  readonly cluster: KafkaCluster;
  readonly topic: string;
}

/**
 * `kafka://TOPIC` (queues §3.5): one message for each record that was given up, under the record's own key, durable on all
 * in-sync replicas before the delivery resolves. At least once: a repeat carries the same id in its header
 * `millrace-failure-id`. Records of one key are written in their order.
 */
export function createTopicDestination(options: TopicDestinationOptions): Destination {
  return new TopicDestination(options);
}

class TopicDestination implements Destination {
  readonly #options: TopicDestinationOptions;
  /** As Kafka's own producers: equal keys to one partition, keyless messages in turn. */
  readonly #partitionOf = Partitioners.DefaultPartitioner();
  #partitions: readonly TopicPartition[] | undefined;

  constructor(options: TopicDestinationOptions) {
    this.#options = options;
  }

  async deliver(record: FailureRecord, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const messages = failureMessages(record);
    const { topic } = this.#options;
    if (messages === undefined) {
      const reason = `A failure record without Kafka records cannot go to the topic "${topic}"`;
      throw new MillraceError(
        "ERR_MILLRACE_DESTINATION_REJECTED",
        `${reason}. Name another failure destination.`,
      );
    }
    try {
      await this.#deliverAll(messages, signal);
    } catch (error) {
      // Leaders may have moved, or partitions been added.
      this.#partitions = undefined;
      throw toDestinationError(error, topic);
    }
  }

  async close(): Promise<void> {
    this.#options.cluster.close();
  }

  async #deliverAll(messages: readonly FailureMessage[], signal: AbortSignal): Promise<void> {
    const { cluster, topic } = this.#options;
    this.#partitions ??= await cluster.topic(topic, signal);
    const leaders = this.#partitions;
    const byPartition = Map.groupBy(messages, ({ key }) => this.#choose(key, leaders));
    for (const [partition, own] of byPartition) {
      const leader = leaders.find((each) => each.partition === partition)?.leader;
      if (leader === undefined)
        throw new KafkaFault("unreachable", `Partition ${partition} of "${topic}" has no leader now.`);
      for (const batch of batchesOf(own)) await this.#produce(leader, partition, batch, signal);
    }
  }

  #choose(key: Buffer | null, partitions: readonly TopicPartition[]): number {
    const partitionMetadata = partitions.map(({ partition, leader }) => ({
      partitionId: partition,
      leader: leader ?? -1,
      partitionErrorCode: 0,
      replicas: [],
      isr: [],
    }));
    return this.#partitionOf({
      topic: this.#options.topic,
      partitionMetadata,
      message: { key, value: null },
    });
  }

  async #produce(
    leader: number,
    partition: number,
    batch: readonly FailureMessage[],
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster, topic } = this.#options;
    const link = await cluster.broker(leader, "control", signal);
    const messages = batch.map(({ id, key, value }) => ({
      key,
      value,
      timestamp: String(Date.now()),
      headers: { [FAILURE_ID_HEADER]: Buffer.from(id) },
    }));
    const answer = await link.request(
      "Produce",
      {
        acks: ACKS_ALL,
        timeout: PRODUCE_TIMEOUT_MS,
        compression: bytesOf(batch) > PLAIN_BYTES_MAX ? GZIP : NOT_COMPRESSED,
        topicData: [{ topic, partitions: [{ partition, messages }] }],
      },
      { signal, timeoutMs: PRODUCE_TIMEOUT_MS, leavesErrors: true },
    );
    for (const { errorCode } of answer.topics.flatMap(({ partitions }) => partitions)) {
      if (errorCode === 0) continue;
      throw faultOfCode(errorCode, { action: "Produce", broker: link.address, usesTls: false });
    }
  }
}

/** In order. A message that is larger than a batch should be goes alone. */
function batchesOf(messages: readonly FailureMessage[]): readonly (readonly FailureMessage[])[] {
  const batches: FailureMessage[][] = [];
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

const HEADER_BYTES = 100;

function bytesOf(messages: readonly FailureMessage[]): number {
  return messages.reduce(
    (sum, { id, key, value }) => sum + id.length + (key?.length ?? 0) + value.length + HEADER_BYTES,
    0,
  );
}

function toDestinationError(error: unknown, topic: string): unknown {
  if (!(error instanceof KafkaFault)) return error;
  const isRefused = error.protocolCode !== undefined && REFUSALS.includes(error.protocolCode);
  const code = isRefused ? "ERR_MILLRACE_DESTINATION_REJECTED" : "ERR_MILLRACE_DESTINATION_UNAVAILABLE";
  const remedy = isRefused ? ` Raise max.message.bytes of the topic "${topic}".` : "";
  return new MillraceError(
    code,
    `The failure topic "${topic}" did not accept a record. ${error.message}${remedy}`,
    {
      cause: error,
    },
  );
}
