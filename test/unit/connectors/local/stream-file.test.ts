import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openLocalStream, openStreamFile } from "../../../../connectors/local/stream-file.ts";
import { MillraceError } from "../../../../src/model/errors.ts";
import { NO_ABORT, OLDEST, openedSource, readOnce, temporaryFolder, textsOf } from "./local-fixture.ts";

const HOUR_MS = 3_600_000;

test("a file that does not exist is not found, and the message names it", () => {
  using place = temporaryFolder();
  assert.throws(
    () => openLocalStream(place.path, "orders"),
    failure("ERR_MILLRACE_SOURCE_NOT_FOUND", place.path),
  );
  assert.throws(() => openedSource(place.path), failure("ERR_MILLRACE_SOURCE_NOT_FOUND", "LOCAL_FILE"));
});

test("a stream that does not exist is not found, and the message lists those that do", () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  file.createStream({ name: "clicks", shards: 1 });
  assert.throws(() => file.openStream("orders"), failure("ERR_MILLRACE_SOURCE_NOT_FOUND", '"clicks"'));
  assert.deepEqual(
    [file.hasStream("clicks"), file.hasStream("orders"), file.streamNames()],
    [true, false, ["clicks"]],
  );
  file.close();
  file.close();
});

test("a file that is no database, or another program's, is refused and left as it is", () => {
  using place = temporaryFolder();
  writeFileSync(
    place.path,
    "this is a text file, not a database, and it is long enough to be looked at".repeat(20),
  );
  assert.throws(() => openStreamFile(place.path), failure("ERR_MILLRACE_CONFIG", "not a local stream file"));
  const foreign = `${place.folder}/foreign.db`;
  const database = new DatabaseSync(foreign);
  database.exec("CREATE TABLE customer (name TEXT)");
  database.close();
  const before = readFileSync(foreign);
  assert.throws(() => openStreamFile(foreign), failure("ERR_MILLRACE_CONFIG", "not a local stream file"));
  assert.throws(
    () => openLocalStream(foreign, "orders"),
    failure("ERR_MILLRACE_CONFIG", "not a local stream file"),
  );
  assert.ok(readFileSync(foreign).equals(before));
});

test("a file of a newer format is refused", () => {
  using place = temporaryFolder();
  openStreamFile(place.path).close();
  const database = new DatabaseSync(place.path);
  database.exec("PRAGMA user_version = 5");
  database.close();
  assert.throws(() => openStreamFile(place.path), failure("ERR_MILLRACE_CONFIG", "format 5"));
});

test("a file of format 1 gets queues in place: its streams stay, and its old reader goes on", async () => {
  using place = temporaryFolder();
  const made = openStreamFile(place.path);
  made.createStream({ name: "orders", shards: 1 }).append([{ partitionKey: "k", data: "old" }]);
  made.close();
  const database = new DatabaseSync(place.path);
  for (const table of [
    "file_clock",
    "message",
    "message_content",
    "message_group",
    "deduplication",
    "queue",
    "file_identity",
  ]) {
    database.exec(`DROP TABLE ${table}`);
  }
  database.exec("ALTER TABLE stream DROP COLUMN created_ms");
  database.exec("PRAGMA user_version = 1");
  const oldStatement = database.prepare("SELECT data FROM record");
  const [first, second] = [openStreamFile(place.path), openStreamFile(place.path)];
  first.createQueue({ name: "orders" }).send([{ body: "new" }]);
  assert.equal(second.openQueue("orders").depth().visible, 1);
  assert.equal(oldStatement.all().length, 1);
  await using opened = openedSource(place.path);
  const read = await readOnce(opened.source, "shardId-000000000000", OLDEST);
  assert.deepEqual(textsOf(opened.source, read), ["old"]);
  for (const each of [first, second, database]) each.close();
});

test("a folder that cannot be made says that the file cannot be used", () => {
  using place = temporaryFolder();
  writeFileSync(place.path, "");
  assert.throws(
    () => openStreamFile(`${place.path}/streams.db`),
    failure("ERR_MILLRACE_SOURCE_UNAVAILABLE", "streams.db"),
  );
});

test("values out of range are refused with what is allowed", () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 1 });
  const data = "x";
  const calls: readonly (() => unknown)[] = [
    () => file.createStream({ name: "orders", shards: 1 }),
    () => file.createStream({ name: "or/ders", shards: 1 }),
    () => file.createStream({ name: "other", shards: 0 }),
    () => file.createStream({ name: "other", shards: 1, retentionMs: -1 }),
    () => stream.append([{ partitionKey: "", data }]),
    () => stream.append([{ partitionKey: "k".repeat(257), data }]),
    () => stream.append([{ partitionKey: "\ud800", data }]),
    () => stream.append([{ partitionKey: "k", data, explicitHashKey: "0xff" }]),
    () => stream.append([{ partitionKey: "k", data, explicitHashKey: (2n ** 128n).toString() }]),
    () => stream.append([{ partitionKey: "k", data: Buffer.alloc(10 * 1024 * 1024 + 1) }]),
    () => stream.splitShard("shardId-000000000000", "0"),
  ];
  for (const call of calls) assert.throws(call, failure("ERR_MILLRACE_CONFIG", ""));
  assert.throws(
    () => stream.splitShard("no-such-shard"),
    failure("ERR_MILLRACE_SOURCE_NOT_FOUND", "no-such-shard"),
  );
  file.close();
  assert.throws(
    () => stream.append([{ partitionKey: "k", data }]),
    failure("ERR_MILLRACE_SOURCE_UNAVAILABLE", ""),
  );
});

test("an append of which one record is not valid appends none", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 1 });
  assert.throws(() =>
    stream.append([
      { partitionKey: "k", data: "x" },
      { partitionKey: "", data: "y" },
    ]),
  );
  await using opened = openedSource(place.path);
  assert.equal((await readOnce(opened.source, "shardId-000000000000", OLDEST)).records.length, 0);
  file.close();
});

test("shards share all hash keys evenly, and a key goes to the shard that owns its MD5", () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 4 });
  const ranges = stream.listShards().map((shard) => shard.hashKeyRange);
  // As Kinesis divides a stream of four shards.
  assert.deepEqual(
    ranges.map((range) => range.startingHashKey),
    [
      "0",
      "85070591730234615865843651857942052864",
      "170141183460469231731687303715884105728",
      "255211775190703847597530955573826158592",
    ],
  );
  assert.equal(ranges.at(-1)?.endingHashKey, "340282366920938463463374607431768211455");
  // MD5("a") begins with 0c, MD5("b") with 92, MD5("c") with 4a, MD5("e") with e1.
  const places = stream.append(["a", "b", "c", "e"].map((partitionKey) => ({ partitionKey, data: "x" })));
  assert.deepEqual(
    places.map(({ shardId }) => Number(shardId.slice(-2))),
    [0, 2, 1, 3],
  );
  file.close();
});

test("only neighbours are merged, and only open shards are resharded", () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 3 });
  const [a, b, c] = stream.listShards().map((shard) => shard.shardId);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  assert.throws(() => stream.mergeShards(a, c), failure("ERR_MILLRACE_CONFIG", "not adjacent"));
  assert.throws(() => stream.mergeShards(a, a), failure("ERR_MILLRACE_CONFIG", "not adjacent"));
  stream.mergeShards(b, a);
  assert.throws(() => stream.splitShard(a), failure("ERR_MILLRACE_CONFIG", "closed already"));
  file.close();
});

test("retention trims at an append, tells the gap to readers behind it and to no others", async () => {
  using place = temporaryFolder();
  let clockMs = Date.UTC(2026, 0, 1);
  const file = openStreamFile(place.path, { now: () => clockMs });
  const stream = file.createStream({ name: "orders", shards: 1, retentionMs: HOUR_MS });
  const append = (data: string) => stream.append([{ partitionKey: "k", data }])[0]?.position ?? "";
  const [first, second] = [append("first"), append("second")];
  clockMs += HOUR_MS + 1;
  append("third");
  await using opened = openedSource(place.path, () => clockMs);
  const { source } = opened;
  const shardId = "shardId-000000000000";
  const behind = await readOnce(source, shardId, { kind: "after", position: first });
  const atEdge = await readOnce(source, shardId, { kind: "after", position: second });
  assert.deepEqual([textsOf(source, behind), behind.trimmed], [["third"], true]);
  assert.deepEqual([textsOf(source, atEdge), atEdge.trimmed], [["third"], false]);
  file.close();
});

test("a reader behind a shard that lost all its records is told of the gap once", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 1 });
  stream.append(["first", "second"].map((data) => ({ partitionKey: "k", data })));
  await using opened = openedSource(place.path);
  const reader = await opened.source.openReader("shardId-000000000000", OLDEST, NO_ABORT);
  await reader.read(1, 1_000, NO_ABORT);
  stream.trim(Date.now() + HOUR_MS);
  const gap = await reader.read(1, 1_000, NO_ABORT);
  const again = await reader.read(1, 1_000, NO_ABORT);
  assert.deepEqual(
    [gap.records.length, gap.trimmed, again.records.length, again.trimmed],
    [0, true, 0, false],
  );
  file.close();
});

test("a closed shard goes with its last record, and is then not found", async () => {
  using place = temporaryFolder();
  let clockMs = Date.UTC(2026, 0, 1);
  const file = openStreamFile(place.path, { now: () => clockMs });
  const stream = file.createStream({ name: "orders", shards: 1, retentionMs: HOUR_MS });
  stream.append([{ partitionKey: "k", data: "x" }]);
  await using opened = openedSource(place.path);
  const shardId = "shardId-000000000000";
  const reader = await opened.source.openReader(shardId, OLDEST, NO_ABORT);
  stream.splitShard(shardId);
  assert.equal(stream.trim(), 0);
  clockMs += HOUR_MS + 1;
  assert.equal(stream.trim(), 1);
  assert.deepEqual(
    stream.listShards().map((shard) => [shard.shardId.slice(-1), shard.parentShardIds]),
    [
      ["1", [shardId]],
      ["2", [shardId]],
    ],
  );
  await assert.rejects(
    () => reader.read(1, 1_000, NO_ABORT),
    failure("ERR_MILLRACE_SOURCE_NOT_FOUND", "retention"),
  );
  file.close();
});

test("trims more records than one transaction takes", () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 1 });
  stream.append(Array.from({ length: 25_000 }, () => ({ partitionKey: "k", data: "x" })));
  assert.equal(stream.trim(), 0);
  assert.equal(stream.trim(Date.now() + HOUR_MS), 25_000);
  file.close();
});

test("arrival times do not go back when the host's clock does", async () => {
  using place = temporaryFolder();
  let clockMs = Date.UTC(2026, 0, 1);
  const file = openStreamFile(place.path, { now: () => clockMs });
  const stream = file.createStream({ name: "orders", shards: 1 });
  stream.append([{ partitionKey: "k", data: "first" }]);
  clockMs -= HOUR_MS;
  stream.append([{ partitionKey: "k", data: "second" }]);
  await using opened = openedSource(place.path);
  const { records } = await readOnce(opened.source, "shardId-000000000000", OLDEST);
  const start = Date.UTC(2026, 0, 1);
  assert.deepEqual(
    records.map((record) => record.arrivalMs),
    [start, start],
  );
  file.close();
});

test("keys and data come back byte for byte, whatever they hold", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 1 });
  const keys = ["\u0000", "a\u0000b", "漢字", "\u2028", "😀", " "];
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  stream.append([
    ...keys.map((partitionKey) => ({ partitionKey, data: bytes })),
    { partitionKey: "empty", data: "" },
  ]);
  await using opened = openedSource(place.path);
  const read = await readOnce(opened.source, "shardId-000000000000", OLDEST);
  assert.deepEqual(
    read.records.map((record) => record.key),
    [...keys, "empty"],
  );
  const event = JSON.parse(Buffer.from(opened.source.events.encode(read.records, undefined)).toString());
  assert.equal(event.Records[0].kinesis.data, bytes.toString("base64"));
  assert.equal(event.Records.at(-1).kinesis.data, "");
  file.close();
});

function failure(code: string, part: string) {
  return (error: unknown) => {
    assert.ok(error instanceof MillraceError, String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(part), error.message);
    return true;
  };
}
