/**
 * A process of its own, started with --expose-gc: reads so many megabytes of the topic `flood` through one link, and
 * prints what its array buffers hold after a forced collection, every 50 MB.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { KafkaCluster } from "../../../../connectors/kafka/cluster.ts";
import { createKafkaSource } from "../../../../connectors/kafka/source.ts";

const STEP_BYTES = 50e6;
const [port = "", megabytes = ""] = process.argv.slice(2);
const address = `127.0.0.1:${port}`;
const cluster = new KafkaCluster({ bootstrap: [address], access: {}, clientId: "test" });
const source = createKafkaSource({
  cluster,
  topic: "flood",
  eventSourceArn: undefined,
  bootstrapServers: [address],
});
const { signal } = new AbortController();
const reader = await source.openReader("flood-0", { kind: "oldest" }, signal);
const held: number[] = [];
let bytes = 0;
while (bytes < Number(megabytes) * 1e6) {
  const { records } = await reader.read(10_000, 4_000_000, signal);
  bytes += records.length * 1_000;
  if (bytes >= (held.length + 1) * STEP_BYTES) {
    await nextTurn();
    globalThis.gc?.();
    await nextTurn();
    globalThis.gc?.();
    held.push(process.memoryUsage().arrayBuffers);
  }
}
process.stdout.write(`${JSON.stringify(held)}\n`);
await reader.close();
await source.close();
process.exit(0);
