import type { KafkaCluster, TopicPartition } from "./cluster.ts";
import {
  abortable,
  hasProtocolCode,
  isConnectionFault,
  isFault,
  KafkaFault,
  throwIfAborted,
} from "./fault.ts";
import type { FetchedPartition } from "./fetch-response.ts";
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
  "KAFKA_STORAGE_ERROR",
  "OFFSET_NOT_AVAILABLE",
  "BROKER_NOT_AVAILABLE",
  "NETWORK_EXCEPTION",
  "REQUEST_TIMED_OUT",
  "UNKNOWN",
];
const OLDEST_TIMESTAMP = -2;
const LATEST_TIMESTAMP = -1;

/** It may be over soon, at another broker or at this one. */
export function isPassing(error: unknown): boolean {
  return isConnectionFault(error) || (!isFault(error, "notFound") && hasProtocolCode(error, ...MOVED));
}

export function isMovedCode(code: number): boolean {
  return MOVED.includes(nameOfCode(code));
}

/** The partitions of one topic: who leads them now, and what is asked of their leaders. */
export class PartitionLeaders {
  readonly #cluster: KafkaCluster;
  readonly #topic: string;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  readonly #fetchers = new Map<number, NodeFetcher>();
  /** `undefined` as a value: it has none now. */
  #leaders = new Map<number, number | undefined>();
  #refresh: Promise<readonly TopicPartition[]> | undefined;

  constructor(cluster: KafkaCluster, topic: string, now: () => number) {
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

  /** One fetch at the partition's leader, as `NodeFetcher.ask`. After a failure the leader is looked up anew. */
  async ask(ask: FetchAsk): Promise<FetchedPartition> {
    try {
      const nodeId = await this.#leaderOf(ask.partition, this.#closing.signal);
      const answer = await this.#fetcherOf(nodeId).ask(ask);
      if (isMovedCode(answer.errorCode)) this.#leaders.delete(ask.partition);
      return answer;
    } catch (error) {
      this.#leaders.delete(ask.partition);
      throw error;
    }
  }

  /** Of the oldest record that there is. */
  async oldestOffset(partition: number, signal: AbortSignal): Promise<number> {
    return (await this.#offsetAt(partition, OLDEST_TIMESTAMP, signal)) ?? 0;
  }

  /** Behind the newest record that committed readers may see. */
  async latestOffset(partition: number, signal: AbortSignal): Promise<number> {
    return (await this.#offsetAt(partition, LATEST_TIMESTAMP, signal)) ?? 0;
  }

  /** Of the first record with this timestamp or a later one; `undefined`: there is none. */
  offsetAtTime(partition: number, epochMs: number, signal: AbortSignal): Promise<number | undefined> {
    return this.#offsetAt(partition, Math.max(0, Math.ceil(epochMs)), signal);
  }

  close(): void {
    this.#closing.abort();
    for (const fetcher of this.#fetchers.values()) fetcher.close();
  }

  async #list(): Promise<readonly TopicPartition[]> {
    const partitions = await this.#cluster.topic(this.#topic, this.#closing.signal);
    this.#leaders = new Map(partitions.map(({ partition, leader }) => [partition, leader]));
    return partitions;
  }

  async #leaderOf(partition: number, signal: AbortSignal): Promise<number> {
    if (this.#leaders.get(partition) === undefined) await this.list(signal);
    const nodeId = this.#leaders.get(partition);
    if (nodeId !== undefined) return nodeId;
    const shardId = `${this.#topic}-${partition}`;
    if (this.#leaders.has(partition)) {
      throw new KafkaFault("unreachable", `No broker leads ${shardId} now: all its replicas may be down.`);
    }
    throw new KafkaFault("notFound", `The topic "${this.#topic}" has no partition ${partition}.`);
  }

  #fetcherOf(nodeId: number): NodeFetcher {
    let fetcher = this.#fetchers.get(nodeId);
    if (fetcher === undefined) {
      fetcher = new NodeFetcher({ cluster: this.#cluster, topic: this.#topic, nodeId, now: this.#now });
      this.#fetchers.set(nodeId, fetcher);
    }
    return fetcher;
  }

  async #offsetAt(partition: number, timestamp: number, signal: AbortSignal): Promise<number | undefined> {
    const startMs = this.#now();
    for (;;) {
      throwIfAborted(signal);
      try {
        return await this.#offsetOnce(partition, timestamp, signal);
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
}
