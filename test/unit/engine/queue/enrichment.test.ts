import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueueDeployment } from "../../../../src/engine/engine.ts";
import { elementTexts } from "../../../../src/model/exact-json.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { answered, FAILED } from "../stream/small-world.ts";
import { SmallQueue } from "./small-queue.ts";

type Enrich = (ids: readonly string[]) => InvocationOutcome | Promise<InvocationOutcome>;

/** The queue of `SmallQueue`, whose mapping has an enrichment from now on. */
function enriched(queue: SmallQueue, enrich: Enrich, timeoutMs = 10_000): void {
  const deployment: QueueDeployment = {
    kind: "queue",
    mapping: queue.mapping,
    source: queue.openSource(),
    fn: queue.fn(10),
    pipe: {
      records: { data: {}, split: (event) => [...elementTexts(Buffer.from(event).toString())] },
      template: undefined,
      enrichment: {
        fn: {
          name: "enrichment",
          timeoutMs,
          concurrency: 10,
          target: {
            invoke: async (payload) => await enrich(JSON.parse(Buffer.from(payload).toString())),
            close: async () => {},
          },
        },
        functionArn: "arn:aws:lambda:eu-west-1:000000000000:function:enrichment",
        template: undefined,
      },
      variables: {},
    },
  };
  void queue.engine
    .stopMapping(queue.mapping.uuid, 0, { isFollowed: true })
    .then(() => queue.engine.start(deployment));
}

test("messages are deleted once the function has what the enrichment made of them", async () => {
  const queue = new SmallQueue();
  enriched(queue, (ids) => answered(ids.map((id) => `${id}!`)));
  queue.send("m1", "m2");
  await queue.clock.advance(2_000);
  assert.deepEqual(
    queue.calls.flatMap(({ ids }) => ids),
    ["m1!", "m2!"],
  );
  assert.deepEqual(queue.left, []);
});

test("messages whose enrichment fails come again when their visibility ends", async () => {
  const queue = new SmallQueue();
  let tries = 0;
  enriched(queue, (ids) => (++tries === 1 ? FAILED : answered(ids)));
  queue.send("m1");
  await queue.clock.advance(25_000);
  assert.deepEqual([tries, queue.calls.length], [1, 0]);
  await queue.clock.advance(20_000);
  assert.deepEqual([tries, queue.calls.length], [2, 1]);
  assert.deepEqual(queue.left, []);
});

test("messages of which the enrichment leaves nothing are deleted without a call of the function", async () => {
  const queue = new SmallQueue();
  enriched(queue, () => answered([]));
  queue.send("m1");
  await queue.clock.advance(2_000);
  assert.deepEqual(queue.left, []);
  assert.equal(queue.calls.length, 0);
  assert.equal(queue.count("enrichment_emptied_events"), 1);
});

test("messages stay hidden while both stages take as long as they may", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 30_000, functionTimeoutMs: 20_000 });
  enriched(
    queue,
    async (ids) => {
      await new Promise<void>((resolve) => queue.clock.schedule(19_000, resolve));
      return answered(ids);
    },
    20_000,
  );
  queue.handler = async () => {
    await new Promise<void>((resolve) => queue.clock.schedule(19_000, resolve));
    return answered(null);
  };
  queue.send("m1");
  await queue.clock.advance(60_000);
  assert.deepEqual(
    queue.calls.map(({ receiveCounts: _receives, ids }) => ids),
    [["m1"]],
  );
  assert.deepEqual(queue.left, []);
});
