import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { embeddedQueues } from "../../../../connectors/local/queue-keeper.ts";
import { embeddedStreams } from "../../../../connectors/local/stream-keeper.ts";
import { hasErrorCode } from "../../../../src/model/errors.ts";
import { temporaryFolder } from "./local-fixture.ts";

const STREAMS = embeddedStreams("LOCAL_FILE");
const QUEUES = embeddedQueues("LOCAL_FILE");
const PLACE = { region: "eu-west-1", account: "123456789012" };

/** The laws of the port stand in test/contract/embedded-sources.ts; these are of the file. */
describe("the keeper of local streams", () => {
  test("cuts what is large where it is looked at, and refuses a shard that is not there", async () => {
    using place = temporaryFolder();
    const keeper = await STREAMS.open(place.path, true);
    await keeper.create({ name: "orders", shards: 3 });
    const texts = ["1", "2", "3", "4", "x".repeat(70_000)];
    await keeper.put(
      "orders",
      texts.map((data, index) => ({ key: `k${index}`, data: Buffer.from(data) })),
    );
    const oldest = await keeper.peek("orders", { recordsMax: 2, which: "oldest" });
    assert.deepEqual(
      oldest.map(({ data }) => Buffer.from(data).toString()),
      ["1", "2"],
    );
    const [newest] = await keeper.peek("orders", { recordsMax: 1, which: "newest" });
    assert.deepEqual([newest?.bytes, newest?.data.length], [70_000, 65_536]);
    const shardId = newest?.shardId ?? "";
    const ofShard = await keeper.peek("orders", { recordsMax: 9, which: "newest", shardId });
    assert.ok(ofShard.length > 0 && ofShard.every((each) => each.shardId === shardId));
    await assert.rejects(keeper.peek("orders", { recordsMax: 1, which: "newest", shardId: "shardId-9" }));
    await keeper.close();
  });

  test("waits beside the event loop while another process has the file locked", async () => {
    using place = temporaryFolder();
    const keeper = await STREAMS.open(place.path, true);
    await keeper.create({ name: "orders", shards: 1 });
    const other = new DatabaseSync(place.path);
    other.exec("BEGIN IMMEDIATE");
    let isStored = false;
    const stored = keeper.put("orders", [{ key: "k", data: Buffer.from("1") }]).then((outcomes) => {
      isStored = true;
      return outcomes;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isStored, false);
    other.exec("ROLLBACK");
    assert.equal((await stored)[0]?.kind, "stored");
    other.close();
    await keeper.close();
  });

  test("stores nothing into a file that was removed, and goes on with the one that is made anew", async () => {
    using place = temporaryFolder();
    const keeper = await STREAMS.open(place.path, true);
    await keeper.create({ name: "orders", shards: 1 });
    for (const suffix of ["", "-wal", "-shm"]) rmSync(place.path + suffix, { force: true });
    const record = { key: "k", data: Buffer.from("1") };
    await assert.rejects(keeper.put("orders", [record]), (error) =>
      hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE"),
    );
    const anew = await STREAMS.open(place.path, true);
    await anew.create({ name: "orders", shards: 1 });
    assert.equal((await keeper.put("orders", [record]))[0]?.kind, "stored");
    for (const each of [keeper, anew]) await each.close();
  });

  test("writes its ARNs as manifests have them", () => {
    assert.equal(STREAMS.arnOf("orders", PLACE), "arn:aws:local:eu-west-1:123456789012:stream/orders");
    assert.equal(QUEUES.arnOf("jobs.fifo", PLACE), "arn:aws:local:eu-west-1:123456789012:queue/jobs.fifo");
  });
});

describe("the keeper of local queues", () => {
  test("takes the hash of a body for a deduplication id that is left out, where the queue says so", async () => {
    using place = temporaryFolder();
    const keeper = await QUEUES.open(place.path, true);
    await keeper.create({ name: "by-content.fifo", contentBasedDeduplication: true });
    await keeper.create({ name: "plain.fifo" });
    for (const [name, bodies] of [
      ["by-content.fifo", ["a", "b"]],
      ["plain.fifo", ["a", "a", "b"]],
    ] as const) {
      await keeper.put(
        name,
        ["a", "a", "b"].map((body) => ({ body, groupId: "g" })),
      );
      assert.deepEqual(
        (await keeper.peek(name, 10)).map(({ body }) => body),
        bodies,
      );
    }
    await assert.rejects(keeper.create({ name: "standard", contentBasedDeduplication: true }), (error) =>
      hasErrorCode(error, "ERR_MILLRACE_CONFIG"),
    );
    await keeper.close();
  });
});
