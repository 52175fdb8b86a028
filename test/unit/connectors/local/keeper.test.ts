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

describe("the keeper of local streams", () => {
  test("makes the file when it may, and says that there is none when it may not", async () => {
    using place = temporaryFolder();
    await assert.rejects(STREAMS.open(place.path, false), (error) =>
      hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND"),
    );
    const keeper = await STREAMS.open(place.path, true);
    assert.equal(await keeper.create({ name: "orders", shards: 2 }), true);
    assert.equal(await keeper.create({ name: "orders", shards: 1 }), false);
    assert.deepEqual(await keeper.names(), ["orders"]);
    const found = await keeper.find("orders");
    assert.equal(found?.shards.length, 2);
    assert.ok((found?.createdMs ?? 0) > 0);
    assert.equal(await keeper.find("other"), undefined);
    await keeper.close();
  });

  test("stores what is valid, refuses what is not alone, and keeps the order of a key", async () => {
    using place = temporaryFolder();
    const keeper = await STREAMS.open(place.path, true);
    await keeper.create({ name: "orders", shards: 2 });
    const record = (key: string, data: string) => ({ key, data: Buffer.from(data) });
    const outcomes = await keeper.put("orders", [record("k", "1"), record("", "2"), record("k", "3")]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["stored", "refused", "stored"],
    );
    const records = await keeper.peek("orders", { recordsMax: 10, which: "newest" });
    assert.deepEqual(
      records.map(({ data }) => Buffer.from(data).toString()),
      ["1", "3"],
    );
    assert.deepEqual(
      outcomes.flatMap((each) => ("sequenceNumber" in each ? [each.sequenceNumber] : [])),
      records.map(({ sequenceNumber }) => sequenceNumber),
    );
    await assert.rejects(keeper.put("nobody", [record("k", "1")]), (error) =>
      hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND"),
    );
    await keeper.close();
  });

  test("stores more than one transaction takes, all in their order", async () => {
    using place = temporaryFolder();
    const keeper = await STREAMS.open(place.path, true);
    await keeper.create({ name: "orders", shards: 1 });
    const records = Array.from({ length: 2_500 }, (_, index) => ({
      key: "k",
      data: Buffer.from(`${index}`),
    }));
    const outcomes = await keeper.put("orders", records);
    const places = outcomes.map((each) =>
      "sequenceNumber" in each ? Number(each.sequenceNumber) : Number.NaN,
    );
    assert.deepEqual(
      places,
      records.map((_, index) => index + 1),
    );
    await keeper.close();
  });

  test("shows the oldest or newest records, of all shards or one, and cuts what is large", async () => {
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

  test("reads a name from its own ARNs only", () => {
    const arn = STREAMS.arnOf("orders", PLACE);
    assert.equal(arn, "arn:aws:local:eu-west-1:123456789012:stream/orders");
    assert.equal(STREAMS.nameOf(arn), "orders");
    assert.equal(STREAMS.nameOf("arn:aws:kinesis:eu-west-1:123456789012:stream/orders"), undefined);
    assert.equal(QUEUES.nameOf(arn), undefined);
    assert.equal(QUEUES.nameOf(QUEUES.arnOf("jobs.fifo", PLACE)), "jobs.fifo");
  });
});

describe("the keeper of local queues", () => {
  test("sends, looks without receiving, and purges", async () => {
    using place = temporaryFolder();
    const keeper = await QUEUES.open(place.path, true);
    assert.equal(await keeper.create({ name: "jobs", holdMs: 60_000, delayMs: 0 }), true);
    const outcomes = await keeper.put("jobs", [{ body: "a" }, { body: "" }, { body: "b", groupId: "g" }]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["stored", "refused", "refused"],
    );
    const messages = await keeper.peek("jobs", 10);
    assert.deepEqual(
      messages.map(({ body, receiveCount }) => [body, receiveCount]),
      [["a", 0]],
    );
    assert.equal(await keeper.purge("jobs"), 1);
    assert.equal((await keeper.find("jobs"))?.holdMs, 60_000);
    assert.deepEqual(await keeper.depth("jobs"), { visible: 0, held: 0, delayed: 0 });
    await keeper.close();
  });

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
