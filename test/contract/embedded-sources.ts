import assert from "node:assert/strict";
import { describe } from "node:test";
import type { QueueKeeper, StreamKeeper } from "../../src/ports/embedded-sources.ts";
import { behaviour, describeBoth, type EmbeddedSourcesHarness } from "./embedded-both.ts";

/** The laws of `src/ports/embedded-sources.ts` as named behaviours, for streams. */
export function describeEmbeddedStreamsContract(
  name: string,
  harness: EmbeddedSourcesHarness<StreamKeeper>,
): void {
  describe(`${name} keeps the laws of embedded streams`, { timeout: 180_000 }, () => {
    describeBoth(harness, "orders", {
      source: "stream",
      item: "record",
      create: (keeper, named) => keeper.create({ name: named, shards: 2 }),
      put: (keeper, named, texts) => keeper.put(named, texts.map(recordOf)),
      bad: "",
      read: async (keeper, named) =>
        (await keeper.peek(named, { recordsMax: 10_000, which: "oldest" })).map(({ data }) => textOf(data)),
    });

    behaviour(harness, "says of each record where it lies", async (keeper) => {
      await keeper.create({ name: "orders", shards: 3 });
      const outcomes = await keeper.put("orders", ["1", "2", "3", "4"].map(recordOf));
      const kept = await keeper.peek("orders", { recordsMax: 10, which: "oldest" });
      assert.deepEqual(
        outcomes.map((each) => each.kind === "stored" && [each.shardId, each.sequenceNumber]),
        kept.map(({ shardId, sequenceNumber }) => [shardId, sequenceNumber]),
      );
      const shardIds = new Set((await keeper.find("orders"))?.shards.map(({ shardId }) => shardId));
      assert.ok(kept.every(({ shardId }) => shardIds.has(shardId)));
    });

    behaviour(
      harness,
      "keeps records of a key in one shard, and takes a hash key in its place",
      async (keeper) => {
        await keeper.create({ name: "orders", shards: 4 });
        const { shards = [] } = (await keeper.find("orders")) ?? {};
        const last = shards.find(({ hashKeyRange }) => hashKeyRange.endingHashKey === `${2n ** 128n - 1n}`);
        const data = Buffer.from("x");
        const outcomes = await keeper.put("orders", [
          ...["a", "b", "c", "a", "b", "c"].map((key) => ({ key, data })),
          { key: "a", data, hashKey: last?.hashKeyRange.startingHashKey ?? "" },
        ]);
        const at = outcomes.map((each) => (each.kind === "stored" ? each.shardId : each.kind));
        assert.deepEqual(at.slice(0, 3), at.slice(3, 6));
        assert.equal(at.at(-1), last?.shardId);
      },
    );

    behaviour(
      harness,
      "shows the newest and the oldest, of one shard or all, in their order",
      async (keeper) => {
        await keeper.create({ name: "orders", shards: 2 });
        await keeper.put("orders", ["1", "2", "3", "4", "5", "6"].map(recordOf));
        const look = async (which: "oldest" | "newest", shardId?: string) =>
          (
            await keeper.peek("orders", {
              recordsMax: 2,
              which,
              ...(shardId === undefined ? {} : { shardId }),
            })
          ).map(({ data }) => textOf(data));
        assert.deepEqual(
          [await look("oldest"), await look("newest")],
          [
            ["1", "2"],
            ["5", "6"],
          ],
        );
        for (const { shardId } of (await keeper.find("orders"))?.shards ?? []) {
          const own = await look("newest", shardId);
          assert.deepEqual(own, own.toSorted());
        }
      },
    );
  });
}

/** The same for queues. */
export function describeEmbeddedQueuesContract(
  name: string,
  harness: EmbeddedSourcesHarness<QueueKeeper>,
): void {
  describe(`${name} keeps the laws of embedded queues`, { timeout: 180_000 }, () => {
    describeBoth(harness, "orders.fifo", {
      source: "queue",
      item: "message",
      create: (keeper, named) => keeper.create({ name: named }),
      put: (keeper, named, texts) => keeper.put(named, texts.map(messageOf)),
      bad: "",
      read: async (keeper, named) => (await keeper.peek(named, 10_000)).map(({ body }) => body),
    });

    behaviour(
      harness,
      "looks without receiving, counts what is there, and takes all away",
      async (keeper) => {
        await keeper.create({ name: "jobs", holdMs: 60_000 });
        await keeper.put("jobs", [{ body: "a" }, { body: "b" }, { body: "c", delayMs: 60_000 }]);
        for (let look = 0; look < 3; look++)
          assert.deepEqual(
            (await keeper.peek("jobs", 2)).map(({ body, receiveCount }) => [body, receiveCount]),
            [
              ["a", 0],
              ["b", 0],
            ],
          );
        assert.deepEqual(await keeper.depth("jobs"), { visible: 2, held: 0, delayed: 1 });
        assert.equal(await keeper.purge("jobs"), 3);
        assert.deepEqual(await keeper.depth("jobs"), { visible: 0, held: 0, delayed: 0 });
      },
    );

    behaviour(harness, "asks for a group where there is an order, and for none elsewhere", async (keeper) => {
      await keeper.create({ name: "jobs" });
      await keeper.create({ name: "jobs.fifo", contentBasedDeduplication: true });
      const kinds = async (named: string) =>
        (await keeper.put(named, [{ body: "a" }, { body: "b", groupId: "g" }])).map(({ kind }) => kind);
      assert.deepEqual(await kinds("jobs"), ["stored", "refused"]);
      assert.deepEqual(await kinds("jobs.fifo"), ["refused", "stored"]);
    });

    behaviour(
      harness,
      "keeps one of two that are the same by their id, or by their content where a queue says so",
      async (keeper) => {
        await keeper.create({ name: "by-id.fifo" });
        await keeper.create({ name: "by-content.fifo", contentBasedDeduplication: true });
        const twice = (deduplicationId?: string) =>
          ["a", "a", "b"].map((body) => ({
            body,
            groupId: "g",
            ...(deduplicationId === undefined ? {} : { deduplicationId: `${deduplicationId}${body}` }),
          }));
        const bodies = async (named: string) => (await keeper.peek(named, 10)).map(({ body }) => body);
        for (const outcome of await keeper.put("by-id.fifo", twice("id-")))
          assert.equal(outcome.kind, "stored");
        await keeper.put("by-content.fifo", twice());
        assert.deepEqual(
          [await bodies("by-id.fifo"), await bodies("by-content.fifo")],
          [
            ["a", "b"],
            ["a", "b"],
          ],
        );
      },
    );
  });
}

/** The text is its key too: an empty one has no key. */
function recordOf(text: string) {
  return { key: text, data: Buffer.from(text) };
}

function messageOf(text: string) {
  return { body: text, groupId: "g" };
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString();
}
