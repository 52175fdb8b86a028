import assert from "node:assert/strict";
import { test } from "node:test";
import { withinReach } from "../../../src/control/broker-reach.ts";
import type { NetworkReach } from "../../../src/model/network-reach.ts";
import type { SourceSettings } from "../../../src/ports/connector.ts";
import { KAFKA, SQS } from "../manifests/manifest-samples.ts";

test("sources of callers, and destinations that are parts of them, are opened within reach", async () => {
  const seen: (NetworkReach | undefined)[] = [];
  const noted = (_mapping: unknown, { reach }: SourceSettings) => {
    seen.push(reach);
    return Promise.reject(new Error("not opened in this test"));
  };
  const reach = { allowsLoopback: false };
  const [stream, queue, plain] = withinReach(
    [
      { ...KAFKA, openStream: noted, openDestination: noted },
      { ...SQS, openQueue: noted },
      { ...KAFKA, openStream: noted },
    ].map(({ ...connector }, index) => {
      if (index < 2) return connector;
      const { openDestination: _, ...rest } = connector as typeof KAFKA;
      return rest;
    }),
    reach,
  );
  assert(stream?.offers === "stream" && queue?.offers === "queue" && plain?.offers === "stream");
  const mapping = {} as Parameters<typeof stream.openStream>[0];
  await assert.rejects(stream.openStream(mapping, {}));
  await assert.rejects(async () => stream.openDestination?.(mapping, {}, "failed"));
  await assert.rejects(queue.openQueue({} as Parameters<typeof queue.openQueue>[0], {}));
  assert.deepEqual(seen, [reach, reach, reach]);
  assert.equal(plain.openDestination, undefined);
});
