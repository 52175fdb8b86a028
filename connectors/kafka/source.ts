import { MillraceError } from "../../src/model/errors.ts";
import type { Position, StartPoint } from "../../src/model/record.ts";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { createKafkaEvents } from "./event.ts";
import { throwIfAborted } from "./fault.ts";
import type { OffsetLookup, PartingLookup } from "./group-beginnings.ts";
import { KIND } from "./kind.ts";
import { type LogCluster, PartitionLeaders } from "./leaders.ts";
import { findParting, parseLogId } from "./log-identity.ts";
import { comparePositions, parsePosition } from "./position.ts";
import { PartitionReader } from "./reader.ts";
import { createKafkaPartition } from "./record.ts";

import { type RecordSchemas, SchemaReader } from "./schema-reader.ts";

export interface KafkaSourceOptions {
  /** Closed with the source. */
  readonly cluster: LogCluster;
  readonly topic: string;
  /** An MSK cluster has it; `undefined`: self-managed. */
  readonly eventSourceArn: string | undefined;
  /** As the mapping gives them: events show them. */
  readonly bootstrapServers: readonly string[];
  /** What spans show of it. */
  readonly consumerGroup?: string;
  /** Makes the consumer group's; without it, the engine's store coordinates. Closed with the source. */
  readonly progress?: (lookups: LogLookups) => ProgressStore;
  /** What key and value are read by. */
  readonly schemas?: RecordSchemas;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  readonly epochMs?: () => number;
}

export interface LogLookups {
  readonly offsetOf: OffsetLookup;
  readonly partingOf: PartingLookup;
}

/** A topic: its shards are `TOPIC-PARTITION`, its positions offsets. Only what transactions have committed is read. */
export function createKafkaSource(options: KafkaSourceOptions): StreamSource {
  const { cluster, topic, now = monotonicMs, epochMs = Date.now } = options;
  const leaders = new PartitionLeaders(cluster, topic, now);
  /** Partitions whose topic was seen to be gone, where no id says whether that which is there now is another. */
  const lost = new Set<number>();
  const firstOffset = async (partition: number, start: StartPoint, signal: AbortSignal): Promise<number> => {
    switch (start.kind) {
      case "oldest":
        return await leaders.oldestOffset(partition, signal);
      case "after":
        return parsePosition(start.position) + 1;
      case "timestamp": {
        // In this order: what is written between the two questions is read.
        const latest = await leaders.latestOffset(partition, signal);
        return (await leaders.offsetAtTime(partition, start.epochMs, signal)) ?? latest;
      }
    }
  };
  const progress = options.progress?.({
    offsetOf: firstOffset,
    partingOf: (partition, logId, offset, signal) =>
      findParting(parseLogId(logId).epochs, offset, (epoch) => leaders.epochEnd(partition, epoch, signal)),
  });
  return {
    description: {
      kind: KIND,
      eventSourceArn: options.eventSourceArn,
      bootstrapServers: options.bootstrapServers.join(","),
      sourceName: topic,
      ...(options.consumerGroup === undefined ? {} : { consumerGroup: options.consumerGroup }),
      batchInfoName: "KafkaBatchInfo",
      sharesReads: true,
      arrivalPrecision: "milliseconds",
      oversizedRecord: "givenUp",
      batchingWindowFrom: "firstRecord",
    },
    events: createKafkaEvents(options),
    ...(progress === undefined ? {} : { progress }),
    async listShards(signal) {
      const partitions = await leaders.list(signal);
      return partitions.map(({ partition }) => ({
        shardId: `${topic}-${partition}`,
        parentShardIds: [],
        closed: false,
      }));
    },
    async captureLatest(shardId, signal) {
      const offset = await leaders.latestOffset(partitionOf(topic, shardId), signal);
      return { kind: "after", position: String(offset - 1) };
    },
    async openReader(shardId, start, signal, knownLogId) {
      throwIfAborted(signal);
      const partition = partitionOf(topic, shardId);
      const log = parseLogId(knownLogId);
      const offset = await firstOffset(partition, start, signal);
      const reader = new PartitionReader({
        leaders,
        partition: createKafkaPartition(topic, partition),
        offset,
        isOldest: start.kind === "oldest",
        log,
        isLost: lost.has(partition) && log.topicId === undefined && start.kind === "after",
        onLost: () => lost.add(partition),
        onFound: () => lost.delete(partition),
        now,
        epochMs,
      });
      return options.schemas === undefined ? reader : new SchemaReader(reader, options.schemas);
    },
    async stillServes(shardId: string, position: Position, signal: AbortSignal, logId?: string) {
      const partition = partitionOf(topic, shardId);
      const { topicId } = parseLogId(logId);
      const present = topicId === undefined ? undefined : await leaders.topicId(signal);
      // Nothing is served of a topic that was deleted, whatever has its name and its offsets now.
      if (present !== undefined && present !== topicId) return false;
      return (await leaders.oldestOffset(partition, signal)) <= parsePosition(position);
    },
    comparePositions,
    async close() {
      leaders.close();
      await progress?.close();
      cluster.close();
    },
  };
}

function monotonicMs(): number {
  return performance.now();
}

function partitionOf(topic: string, shardId: string): number {
  const number = shardId.startsWith(`${topic}-`) ? shardId.slice(topic.length + 1) : "";
  if (/^(?:0|[1-9]\d{0,8})$/.test(number)) return Number(number);
  throw new MillraceError(
    "ERR_MILLRACE_SOURCE_NOT_FOUND",
    `"${shardId.slice(0, 300)}" is no partition of the topic "${topic}": they are named TOPIC-NUMBER.`,
  );
}
