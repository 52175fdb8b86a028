import assert from "node:assert/strict";
import { test } from "node:test";
import { withinReach } from "../../../src/control/broker-reach.ts";
import type { NetworkReach } from "../../../src/model/network-reach.ts";
import { KAFKA, LOCAL, SQS } from "../manifests/manifest-samples.ts";

test("topics and topic destinations of callers are opened within reach, and other connectors are as they were", async () => {
  const seen: (NetworkReach | undefined)[] = [];
  const noted = (reach: NetworkReach | undefined) => {
    seen.push(reach);
    return Promise.reject(new Error("not opened in this test"));
  };
  const kafka = {
    ...KAFKA,
    openTopic: (_mapping: unknown, reach?: NetworkReach) => noted(reach),
    openTopicDestination: (_mapping: unknown, _topic: string, reach?: NetworkReach) => noted(reach),
  };
  const reach = { allowsLoopback: false };
  const [topic, ...others] = withinReach([kafka, LOCAL, SQS], reach);
  assert.deepEqual(others, [LOCAL, SQS]);
  assert(topic?.offers === "topic");
  const mapping = {} as Parameters<typeof topic.openTopic>[0];
  await assert.rejects(topic.openTopic(mapping));
  await assert.rejects(topic.openTopicDestination(mapping, "failed"));
  assert.deepEqual(seen, [reach, reach]);
});
