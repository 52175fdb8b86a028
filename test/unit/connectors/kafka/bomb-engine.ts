/**
 * A process of its own, with a heap of 512 MB: the real engine reads the topic `bombs` to its end. Prints which first
 * and last records of partitions were delivered, what was given up, and the most that it held.
 */

import { KafkaCluster } from "../../../../connectors/kafka/cluster.ts";
import { createKafkaSource } from "../../../../connectors/kafka/source.ts";
import { turn } from "../../../../src/lib/steps.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { createQuietEngine } from "../../../fixtures/quiet-engine.ts";
import { PLAIN_MAPPING } from "../../engine/stream/small-world.ts";

const { port, last }: { readonly port: number; readonly last: readonly number[] } = JSON.parse(
  process.argv[2] ?? "",
);
const address = `127.0.0.1:${port}`;
const cluster = new KafkaCluster({ bootstrap: [address], access: {}, clientId: "test" });
const source = createKafkaSource({
  cluster,
  topic: "bombs",
  eventSourceArn: undefined,
  bootstrapServers: [address],
});
const seen = new Set<string>();
const givenUp = new Set<string>();
let [records, rssMax, stepBytesMax, stepItemsMax] = [0, 0, 0, 0];
turn.watch((bytes, items) => {
  stepBytesMax = Math.max(stepBytesMax, bytes);
  stepItemsMax = Math.max(stepItemsMax, items);
});
setInterval(() => {
  rssMax = Math.max(rssMax, process.memoryUsage.rss());
}, 20).unref();
const engine = createQuietEngine();
engine.start({
  kind: "stream",
  mapping: { ...PLAIN_MAPPING, batchSize: 10_000, enabled: true, onFailureDestination: "file:x" },
  source,
  destination: {
    deliver: async (envelope) => {
      givenUp.add(failureOf(envelope).batch.shardId);
    },
    close: async () => {},
  },
  fn: {
    name: "fn",
    timeoutMs: 60_000,
    concurrency: 100,
    target: {
      invoke: async (payload) => {
        const event: {
          readonly records: Record<
            string,
            readonly { readonly partition: number; readonly offset: number }[]
          >;
        } = JSON.parse(Buffer.from(payload).toString());
        for (const { partition, offset } of Object.values(event.records).flat()) {
          records++;
          if (offset === 0 || offset === last[partition])
            seen.add(`${partition}/${offset === 0 ? "first" : "last"}`);
        }
        return { kind: "succeeded", payload: Buffer.from("null") };
      },
      close: async () => {},
    },
  },
});
const isDone = () => seen.size === last.length * 2;
while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 50));
process.stdout.write(
  `${JSON.stringify({ records, givenUp: [...givenUp], rssMax, stepBytesMax, stepItemsMax })}\n`,
);
await engine.stop(1_000);
await source.close();
process.exit(0);
