import type { BrokerLink } from "./broker-link.ts";
import type { KafkaCluster, Lane, TopicPartition } from "./cluster.ts";
import {
  abortable,
  hasProtocolCode,
  isConnectionFault,
  isFault,
  KafkaFault,
  throwIfAborted,
} from "./fault.ts";
import type { EpochEnd, FetchedPartition } from "./fetch-response.ts";
import { nameOfCode } from "./kafkajs-errors.ts";
import { type FetchAsk, NodeFetcher } from "./node-fetcher.ts";
import { sleep } from "./sleep.ts";

/** A leader that moves or a broker that restarts is waited for so long before it counts as a failure. */
export const RECOVERY_MS = 10_000;
export const RETRY_MS = 200;

/** Ask the leader that the cluster names now. */
const MOVED = [
  "NOT_LEADER_FOR_PARTITION",
  "LEADER_NOT_AVAILABLE",
  "REPLICA_NOT_AVAILABLE",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "UNKNOWN_TOPIC_OR_PARTITION",
  // The topic of the name is another by now, or the leader has not heard of it yet.
  "UNKNOWN_TOPIC_ID",
  "INCONSISTENT_TOPIC_ID",
  "KAFKA_STORAGE_ERROR",
  "OFFSET_NOT_AVAILABLE",
  "BROKER_NOT_AVAILABLE",
  "NETWORK_EXCEPTION",
  "REQUEST_TIMED_OUT",
  "UNKNOWN",
];
const NOTHING = Buffer.alloc(0);
const OLDEST_TIMESTAMP = -2;
const LATEST_TIMESTAMP = -1;

export interface LeaderAnswer extends FetchedPartition {
  /** As metadata say, whether or not the broker was asked for it by this id; absent: the cluster has none. */
  readonly ofTopic?: string;
  /** The partition is of another topic than was asked for: one of the same name, with this id. There are no records. */
  readonly remadeAs?: string;
}

/** It may be over soon, at another broker or at this one. */
export function isPassing(error: unknown): boolean {
  return isConnectionFault(error) || (!isFault(error, "notFound") && hasProtocolCode(error, ...MOVED));
}

export function isMovedCode(code: number): boolean {
  return MOVED.includes(nameOfCode(code));
}

/** What is needed of a cluster. */
export interface LogCluster extends Pick<KafkaCluster, "describe" | "close"> {
  broker(
    nodeId: number,
    lane: Lane,
    signal: AbortSignal,
  ): Promise<Pick<BrokerLink, "address" | "fetch" | "request">>;
}

/** The partitions of one topic: who leads them now, and what is asked of their leaders. */
export class PartitionLeaders {
  readonly #cluster: LogCluster;
  readonly #topic: string;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  readonly #fetchers = new Map<number, NodeFetcher>();
  /** `undefined` as a value: it has none now. */
  #leaders = new Map<number, number | undefined>();
  #refresh: Promise<readonly TopicPartition[]> | undefined;
  #topicId: string | undefined;
  /** Ids of topics that had the name before: a broker that still tells of them is behind. */
  readonly #pastIds = new Set<string>();

  constructor(cluster: LogCluster, topic: string, now: () => number) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#now = now;
  }

  /** All partitions, fresh from the cluster; those who ask meanwhile share the answer. */
  list(signal: AbortSignal): Promise<readonly TopicPartition[]> {
    this.#refresh ??= this.#list().finally(() => {
      this.#refresh = undefined;
    });
    return abortable(this.#refresh, signal);
  }

  /** The id of the topic that has the name now, fresh from the cluster; `undefined`: the cluster has none. */
  async topicId(signal: AbortSignal): Promise<string | undefined> {
    await this.list(signal);
    return this.#topicId;
  }

  /** One fetch at the partition's leader, as `NodeFetcher.ask`. After a failure the leader is looked up anew. */
  async ask(
    ask: Omit<FetchAsk, "topicId"> & { readonly topicId: string | undefined },
  ): Promise<LeaderAnswer> {
    try {
      const nodeId = await this.#leaderOf(ask.partition, this.#closing.signal);
      const topicId = this.#topicId;
      // plant: a-topic-made-anew-is-taken-for-the-one-that-was-read
      const isOther = topicId !== undefined && ask.topicId !== undefined && topicId !== ask.topicId;
      if (isOther && this.#pastIds.has(topicId)) throw this.#behind(topicId);
      const fetcher = this.#fetcherOf(nodeId);
      // One look tells whether another topic is there: metadata may be of the past or of a moment ago.
      const answer = await fetcher.ask(
        isOther
          ? { ...ask, topicId, offset: 0, lastEpoch: -1, bytesMax: 1, isIdle: false }
          : { ...ask, topicId },
      );
      if (isMovedCode(answer.errorCode)) this.#leaders.delete(ask.partition);
      else if (isOther) {
        this.#pastIds.add(ask.topicId);
        return { ...answer, records: NOTHING, remadeAs: topicId };
      }
      return topicId === undefined ? answer : { ...answer, ofTopic: topicId };
    } catch (error) {
      this.#leaders.delete(ask.partition);
      throw error;
    }
  }

  /** How the log of now ends an epoch; `undefined`: its brokers do not say. */
  async epochEnd(partition: number, epoch: number, signal: AbortSignal): Promise<EpochEnd | undefined> {
    try {
      return await this.#tryUntilLed(partition, signal, () => this.#epochEndOnce(partition, epoch, signal));
    } catch (error) {
      if (isFault(error, "unsupported")) return undefined;
      throw error;
    }
  }

  /** The offset of the oldest record that there is. */
  async oldestOffset(partition: number, signal: AbortSignal): Promise<number> {
    return (await this.#offsetAt(partition, OLDEST_TIMESTAMP, signal)) ?? 0;
  }

  /** Behind the newest record that committed readers may see. */
  async latestOffset(partition: number, signal: AbortSignal): Promise<number> {
    return (await this.#offsetAt(partition, LATEST_TIMESTAMP, signal)) ?? 0;
  }

  /** The offset of the first record with this timestamp or a later one; `undefined`: there is none. */
  offsetAtTime(partition: number, epochMs: number, signal: AbortSignal): Promise<number | undefined> {
    return this.#offsetAt(partition, Math.max(0, Math.ceil(epochMs)), signal);
  }

  close(): void {
    this.#closing.abort();
    for (const fetcher of this.#fetchers.values()) fetcher.close();
  }

  async #list(): Promise<readonly TopicPartition[]> {
    const { id, partitions } = await this.#cluster.describe(this.#topic, this.#closing.signal);
    this.#topicId = id;
    this.#leaders = new Map(partitions.map(({ partition, leader }) => [partition, leader]));
    return partitions;
  }

  async #leaderOf(partition: number, signal: AbortSignal): Promise<number> {
    if (this.#leaders.get(partition) === undefined) await this.list(signal);
    const nodeId = this.#leaders.get(partition);
    if (nodeId !== undefined) return nodeId;
    const shardId = `${this.#topic}-${partition}`;
    if (this.#leaders.has(partition)) {
      // The brokers of all partitions that have none come back as one.
      throw new KafkaFault("unreachable", `No broker leads ${shardId} now: all its replicas may be down.`, {
        endpoint: `a leader in the topic ${this.#topic}`,
      });
    }
    // Not "not found": nothing of it has ended. A topic that is made anew may have fewer partitions, and more again
    // later.
    const message = `The topic "${this.#topic}" has no partition ${partition} now: it has ${this.#leaders.size}. It was made anew with fewer, or the checkpoint is of another topic.`;
    throw new KafkaFault("protocol", message, { protocolCode: "UNKNOWN_TOPIC_OR_PARTITION" });
  }

  #behind(topicId: string): KafkaFault {
    const message = `A broker still tells of the topic "${this.#topic}" that was deleted (id ${topicId}).`;
    return new KafkaFault("protocol", message, { protocolCode: "UNKNOWN_TOPIC_ID" });
  }

  #fetcherOf(nodeId: number): NodeFetcher {
    let fetcher = this.#fetchers.get(nodeId);
    if (fetcher === undefined) {
      fetcher = new NodeFetcher({ cluster: this.#cluster, topic: this.#topic, nodeId, now: this.#now });
      this.#fetchers.set(nodeId, fetcher);
    }
    return fetcher;
  }

  #offsetAt(partition: number, timestamp: number, signal: AbortSignal): Promise<number | undefined> {
    return this.#tryUntilLed(partition, signal, () => this.#offsetOnce(partition, timestamp, signal));
  }

  /** A leader that moves is followed for a while. */
  async #tryUntilLed<T>(partition: number, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    const startMs = this.#now();
    for (;;) {
      throwIfAborted(signal);
      try {
        return await call();
      } catch (error) {
        throwIfAborted(signal);
        if (!isPassing(error) || this.#now() - startMs > RECOVERY_MS) throw error;
        this.#leaders.delete(partition);
        await sleep(RETRY_MS, signal);
      }
    }
  }

  async #offsetOnce(partition: number, timestamp: number, signal: AbortSignal): Promise<number | undefined> {
    const nodeId = await this.#leaderOf(partition, signal);
    const link = await this.#cluster.broker(nodeId, "control", signal);
    const topics = [{ topic: this.#topic, partitions: [{ partition, timestamp }] }];
    const { responses } = await link.request("ListOffsets", { isolationLevel: 1, topics }, { signal });
    const entry = responses[0]?.partitions[0];
    const offset = Number(entry?.offset ?? entry?.offsets?.[0] ?? -1);
    return offset < 0 ? undefined : offset;
  }

  async #epochEndOnce(partition: number, epoch: number, signal: AbortSignal): Promise<EpochEnd | undefined> {
    const nodeId = await this.#leaderOf(partition, signal);
    const link = await this.#cluster.broker(nodeId, "control", signal);
    const topics = [{ topic: this.#topic, partitions: [{ partition, leaderEpoch: epoch }] }];
    const { responses } = await link.request("OffsetForLeaderEpoch", { topics }, { signal });
    const entry = responses[0]?.partitions[0];
    if (entry === undefined || entry.leaderEpoch < 0 || entry.endOffset < 0) return undefined;
    return { epoch: entry.leaderEpoch, endOffset: entry.endOffset };
  }
}
