import type { RecordSender, SendOutcome } from "../../src/ports/record-sender.ts";
import type { KafkaCluster } from "./cluster.ts";
import { TopicWriter } from "./topic-writer.ts";

const RECORDS_MAX = 1_000;
const BYTES_MAX = 512 * 1024;
const CONCURRENCY = 4;
const CALL_MS_MAX = 30_000;

/**
 * Messages under their keys, sent once: one that is tried again could end up behind later ones of its key, or twice.
 */
export function createTopicSender(cluster: KafkaCluster, topic: string): RecordSender {
  const writers = Array.from({ length: CONCURRENCY }, () => new TopicWriter(cluster, topic));
  const idle = [...writers];
  return {
    recordsMax: RECORDS_MAX,
    bytesMax: BYTES_MAX,
    concurrency: CONCURRENCY,
    repeatsKeys: true,
    async send(records) {
      const writer = idle.pop() ?? new TopicWriter(cluster, topic);
      const messages = records.map(({ key, data }) => ({
        key: Buffer.from(key),
        value: Buffer.from(data),
        headers: {},
      }));
      let outcome: SendOutcome = "accepted";
      try {
        await writer.write(messages, AbortSignal.timeout(CALL_MS_MAX));
      } catch {
        // Some of its partitions may have got theirs.
        outcome = "unknown";
      }
      idle.push(writer);
      return records.map(() => outcome);
    },
    async close() {
      cluster.close();
    },
  };
}
