import assert from "node:assert/strict";
import { test } from "node:test";
import { createKafkaSource } from "../../../../connectors/kafka/source.ts";
import { ScriptedKafka } from "../../../contract/scripted-kafka.ts";
import { scriptedKafkaHarness } from "../../../contract/scripted-kafka-harness.ts";
import { NO_ABORT, readToTip, samples } from "../../../contract/stream-source-harness.ts";

function openTopic() {
  const kafka = new ScriptedKafka({ hasTopicIds: true });
  kafka.create("orders", 1);
  kafka.log("orders", 0).append(samples(5));
  const source = createKafkaSource({
    cluster: kafka.cluster(),
    topic: "orders",
    eventSourceArn: undefined,
    bootstrapServers: ["scripted:9092"],
  });
  return { kafka, source };
}

test("a record is served as long as the log does not begin behind it", async () => {
  const { kafka, source } = openTopic();
  assert.equal(await source.stillServes?.("orders-0", "2", NO_ABORT), true);
  kafka.log("orders", 0).start = 3;
  assert.equal(await source.stillServes?.("orders-0", "2", NO_ABORT), false);
  assert.equal(await source.stillServes?.("orders-0", "3", NO_ABORT), true);
  await source.close();
});

test("a topic of the same name serves none of the deleted one's records, whatever its offsets are", async () => {
  const stream = await scriptedKafkaHarness(true).createStream(1);
  const source = await stream.openSource();
  await stream.append("orders-0", samples(3));
  const reader = await source.openReader("orders-0", { kind: "oldest" }, NO_ABORT);
  const { logId } = await readToTip(stream, reader);
  const ask:
    | ((shardId: string, position: string, signal: AbortSignal, logId?: string) => Promise<boolean>)
    | undefined = source.stillServes;
  assert.equal(await ask?.("orders-0", "2", NO_ABORT, logId), true);
  await stream.remake?.();
  await stream.append("orders-0", samples(9));
  assert.equal(await ask?.("orders-0", "2", NO_ABORT, logId), false);
  await stream[Symbol.asyncDispose]();
});

test("that a topic is not there is no word about its records", async () => {
  const { kafka, source } = openTopic();
  await source.listShards(NO_ABORT);
  kafka.delete("orders");
  await assert.rejects(Promise.resolve(source.stillServes?.("orders-0", "2", AbortSignal.timeout(500))));
  await source.close();
});
