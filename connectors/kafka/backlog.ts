import { MillraceError } from "../../src/model/errors.ts";
import type { SourceBacklog } from "../../src/ports/source-backlog.ts";
import type { KafkaCluster } from "./cluster.ts";
import { KafkaGroup } from "./kafka-group.ts";
import { PartitionLeaders } from "./leaders.ts";

interface TopicBacklogOptions {
  /** Closed with the backlog. */
  readonly cluster: KafkaCluster;
  readonly topic: string;
  readonly groupId: string;
}

/**
 * How far a consumer group's commits stand behind the topic, without being a member. Of a partition without a commit
 * everything waits, at least one: its first reader settles where it begins.
 */
export function createTopicBacklog({ cluster, topic, groupId }: TopicBacklogOptions): SourceBacklog {
  const leaders = new PartitionLeaders(cluster, topic, () => performance.now());
  const group = new KafkaGroup({ cluster, topic, groupId });
  return {
    async look(signal) {
      const partitions = (await leaders.list(signal)).map(({ partition }) => partition);
      // Commits first: what is written in between is counted, though somebody may have settled it by then.
      const committed = await group.committed(partitions, signal).catch(asSourceFault);
      const behind = await Promise.all(
        partitions.map(async (partition) => {
          const offset = committed.get(partition)?.offset;
          const end = await leaders.latestOffset(partition, signal);
          return offset === undefined ? Math.max(1, end) : Math.max(0, end - offset);
        }),
      );
      return {
        elements: behind.reduce((sum, records) => sum + records, 0),
        parts: behind.filter((records) => records > 0).length,
      };
    },
    async close() {
      leaders.close();
      cluster.close();
    },
  };
}

function asSourceFault(cause: unknown): never {
  if (cause instanceof MillraceError) throw cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  throw new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", message, { cause });
}
