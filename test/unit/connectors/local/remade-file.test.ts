import assert from "node:assert/strict";
import { chmodSync, copyFileSync, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openLocalQueueSource } from "../../../../connectors/local/queue-source.ts";
import { openStreamSender } from "../../../../connectors/local/sender.ts";
import { openLocalSource } from "../../../../connectors/local/source.ts";
import { openStreamFile } from "../../../../connectors/local/stream-file.ts";
import type { StreamSource } from "../../../../src/ports/stream-source.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";
import { SteppedWaits } from "../../sqlite/stepped-waits.ts";
import { ARN, NO_ABORT, OLDEST, openedSource, readOnce, temporaryFolder, textsOf } from "./local-fixture.ts";
import { bodiesOf, HOLD_MS, openedQueueFile, queueArn, receive } from "./queue-fixture.ts";

const SHARD = "shardId-000000000000";

test("a running reader goes over to a file that was made anew, and reads it from its beginning", async () => {
  using place = temporaryFolder();
  fill(place.path, ["old 1", "old 2", "old 3"]);
  await using opened = openedSource(place.path);
  const reader = await opened.source.openReader(SHARD, OLDEST, NO_ABORT);
  const before = await reader.read(100, 1_000_000, NO_ABORT);
  remove(place.path);
  fill(place.path, ["new 1", "new 2"]);
  const told = await reader.read(100, 1_000_000, NO_ABORT);
  assert.deepEqual([told.records, told.anew?.because, told.anew?.from], [[], "remade", { kind: "oldest" }]);
  assert.notEqual(told.logId, before.logId);
  const after = await reader.read(100, 1_000_000, NO_ABORT);
  assert.deepEqual(textsOf(opened.source, after), ["new 1", "new 2"]);
  assert.deepEqual([after.anew, after.logId], [undefined, told.logId]);
});

test("a start in the log of a removed file reads the new file from its beginning, however long it has grown", async () => {
  for (const count of [1, 3, 10]) {
    using place = temporaryFolder();
    fill(place.path, ["old 1", "old 2", "old 3"]);
    const { logId, at } = await readAndClose(place.path);
    remove(place.path);
    const texts = Array.from({ length: count }, (_, index) => `new ${index}`);
    fill(place.path, texts);
    await using opened = openedSource(place.path);
    const reader = await opened.source.openReader(SHARD, at, NO_ABORT, logId);
    assert.equal((await reader.read(100, 1_000_000, NO_ABORT)).anew?.because, "remade");
    assert.deepEqual(textsOf(opened.source, await reader.read(100, 1_000_000, NO_ABORT)), texts);
  }
});

test("a checkpoint of before logs had names is held against the end of the stream", async () => {
  using place = temporaryFolder();
  fill(place.path, ["old 1", "old 2", "old 3"]);
  const { at } = await readAndClose(place.path);
  remove(place.path);
  fill(place.path, ["new 1"]);
  await using opened = openedSource(place.path);
  const reader = await opened.source.openReader(SHARD, at, NO_ABORT);
  assert.equal((await reader.read(100, 1_000_000, NO_ABORT)).anew?.because, "remade");
  assert.deepEqual(textsOf(opened.source, await reader.read(100, 1_000_000, NO_ABORT)), ["new 1"]);
});

test("an older copy of the file is the same log that went back: nothing in it is skipped", async () => {
  using place = temporaryFolder();
  fill(place.path, ["1", "2"]);
  copyFileSync(place.path, `${place.path}.copy`);
  append(place.path, ["3", "4"]);
  const { logId, at } = await readAndClose(place.path);
  remove(place.path);
  renameSync(`${place.path}.copy`, place.path);
  append(place.path, ["other 3"]);
  await using opened = openedSource(place.path);
  const reader = await opened.source.openReader(SHARD, at, NO_ABORT, logId);
  const told = await reader.read(100, 1_000_000, NO_ABORT);
  assert.deepEqual([told.anew?.because, told.logId], ["wentBack", logId]);
  assert.deepEqual(textsOf(opened.source, await reader.read(100, 1_000_000, NO_ABORT)), [
    "1",
    "2",
    "other 3",
  ]);
});

test("a file that was moved away and back, or copied whole, repeats nothing", async () => {
  using place = temporaryFolder();
  fill(place.path, ["1", "2"]);
  await using opened = openedSource(place.path);
  const reader = await opened.source.openReader(SHARD, OLDEST, NO_ABORT);
  await reader.read(100, 1_000_000, NO_ABORT);
  move(place.path, `${place.path}.away`);
  const { message } = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () =>
    reader.read(100, 1_000_000, NO_ABORT),
  );
  assert.match(message, /was removed while it was read/);
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => opened.source.listShards(NO_ABORT));
  move(`${place.path}.away`, place.path);
  assert.equal((await reader.read(100, 1_000_000, NO_ABORT)).records.length, 0);
  copyFileSync(place.path, `${place.path}.copy`);
  copyFileSync(`${place.path}-wal`, `${place.path}.copy-wal`);
  remove(place.path);
  move(`${place.path}.copy`, place.path);
  append(place.path, ["3"]);
  const read = await reader.read(100, 1_000_000, NO_ABORT);
  assert.deepEqual([read.anew, textsOf(opened.source, read)], [undefined, ["3"]]);
});

test("a file that is only half made, or is none, is waited for: no shard is taken for gone", async () => {
  using place = temporaryFolder();
  fill(place.path, ["old"]);
  await using opened = openedSource(place.path);
  const reader = await opened.source.openReader(SHARD, OLDEST, NO_ABORT);
  await reader.read(100, 1_000_000, NO_ABORT);
  remove(place.path);
  const half = openStreamFile(place.path);
  for (const ask of [() => reader.read(1, 1, NO_ABORT), () => opened.source.listShards(NO_ABORT)])
    await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", ask);
  half.createStream({ name: "orders", shards: 1 }).append([{ partitionKey: "k", data: "new" }]);
  half.close();
  assert.equal((await reader.read(100, 1_000_000, NO_ABORT)).anew?.because, "remade");
  assert.deepEqual(textsOf(opened.source, await reader.read(100, 1_000_000, NO_ABORT)), ["new"]);
});

test("who appends to a file that was removed or made anew is told that nobody will see it", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 1 });
  const queue = file.createQueue({ name: "orders" });
  const sender = openStreamSender(place.path, "orders", {
    shards: 1,
    retentionMs: 60_000,
    visibilityMs: 30_000,
  });
  remove(place.path);
  const record = { key: "k", data: "lost" };
  const isRefused = { code: "ERR_MILLRACE_SOURCE_UNAVAILABLE", message: /removed or replaced/ };
  assert.throws(() => stream.append([{ partitionKey: "k", data: "lost" }]), isRefused);
  fill(place.path, ["new"]);
  assert.throws(() => queue.send([{ body: "lost" }]), isRefused);
  assert.deepEqual(await sender.send([record, record]), ["refused", "refused"]);
  await sender.close();
  file.close();
  await using opened = openedSource(place.path);
  assert.deepEqual(textsOf(opened.source, await readOnce(opened.source, SHARD, OLDEST)), ["new"]);
});

test("a local queue that was made anew is received from, its old messages are lost, and it is told once", async () => {
  await using opened = openedQueueFile();
  opened.file.createQueue({ name: "orders" }).send([{ body: "old" }]);
  const source = opened.source("orders");
  const held = await receive(source);
  assert.equal(held.length, 1);
  remove(opened.path);
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => receive(source));
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => source.acknowledge(held));
  const file = openStreamFile(opened.path, { now: () => opened.clock.ms });
  file.createQueue({ name: "orders" }).send([{ body: "new" }]);
  assert.deepEqual(await source.acknowledge(held), ["lost"], "its id may be another message's by now");
  const { message } = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => receive(source));
  assert.match(message, /was made anew/);
  assert.deepEqual(bodiesOf(source, await receive(source)), ["new"]);
  file.close();
});

test("a locked file is waited for beside the event loop, and given up after five seconds", async () => {
  await using opened = openedQueueFile();
  opened.file.createQueue({ name: "orders" }).send([{ body: "1" }, { body: "2" }]);
  const clock = new SteppedWaits();
  const now = () => opened.clock.ms;
  const source = openLocalQueueSource(opened.path, queueArn("orders"), { now, clock });
  const other = lock(opened.path);
  const received = source.receive({ messagesMax: 1, waitMs: 0, holdMs: HOLD_MS }, NO_ABORT);
  await clock.sleeping();
  unlock(other);
  clock.wake();
  const messages = await received;
  assert.equal(messages.length, 1);
  const again = lock(opened.path);
  const late = rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => source.acknowledge(messages));
  await clock.sleeping();
  clock.advance(5_000);
  clock.wake();
  assert.match((await late).message, /locked/);
  unlock(again);
  assert.deepEqual(await source.acknowledge(messages), ["settled"]);
  await source.close();
});

test("a receive that waits for a lock ends when it is aborted, and takes nothing", async () => {
  await using opened = openedQueueFile();
  const queue = opened.file.createQueue({ name: "orders" });
  queue.send([{ body: "1" }]);
  const clock = new SteppedWaits();
  const now = () => opened.clock.ms;
  const source = openLocalQueueSource(opened.path, queueArn("orders"), { now, clock });
  const other = lock(opened.path);
  const stop = new AbortController();
  const received = source.receive({ messagesMax: 1, waitMs: 0, holdMs: HOLD_MS }, stop.signal);
  await clock.sleeping();
  stop.abort();
  assert.deepEqual(await received, []);
  unlock(other);
  assert.deepEqual([queue.depth().visible, queue.depth().held], [1, 0]);
  await source.close();
});

test("a file of streams and queues is for its owner only, also one that was made for all", async () => {
  using place = temporaryFolder();
  fill(place.path, ["1"]);
  const reading = openLocalSource(place.path, ARN);
  const modes = () =>
    ["", "-wal", "-shm"].map((suffix) => (statSync(place.path + suffix).mode & 0o777).toString(8));
  assert.deepEqual(modes(), ["600", "600", "600"]);
  for (const suffix of ["", "-wal", "-shm"]) chmodSync(place.path + suffix, 0o666);
  await openLocalSource(place.path, ARN).close();
  assert.deepEqual(modes(), ["600", "600", "600"]);
  await reading.close();
});

function fill(path: string, texts: readonly string[]): void {
  const file = openStreamFile(path);
  const stream = file.createStream({ name: "orders", shards: 1 });
  stream.append(texts.map((data) => ({ partitionKey: "k", data })));
  file.close();
}

function append(path: string, texts: readonly string[]): void {
  const file = openStreamFile(path);
  file.openStream("orders").append(texts.map((data) => ({ partitionKey: "k", data })));
  file.close();
}

/** What a checkpoint would hold of all that is there. */
async function readAndClose(path: string) {
  const source: StreamSource = openLocalSource(path, ARN);
  const { logId, records } = await readOnce(source, SHARD, OLDEST);
  await source.close();
  const position = records.at(-1)?.position;
  assert.ok(position !== undefined && logId !== undefined);
  return { logId, at: { kind: "after", position } as const };
}

function remove(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
}

function move(from: string, to: string): void {
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
  }
}

function lock(path: string): DatabaseSync {
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  return other;
}

function unlock(other: DatabaseSync): void {
  other.exec("ROLLBACK");
  other.close();
}
