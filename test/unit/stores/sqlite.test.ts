import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { initialCheckpoint } from "../../../src/model/checkpoint.ts";
import { hasErrorCode } from "../../../src/model/errors.ts";
import { openSqliteStore } from "../../../src/stores/sqlite.ts";
import { rejectsWith } from "../../contract/rejects-with.ts";

const MAPPING = "11111111-1111-4111-8111-111111111111";
const CHECKPOINTER = fileURLToPath(new URL("./checkpointer.ts", import.meta.url));
const SHARD = {
  shard: { shardId: "shard-a", parentShardIds: [], closed: false },
  checkpoint: initialCheckpoint({ kind: "oldest" }),
};

test("a record that cannot be read is corrupt, and the message names shard, mapping and remedy", async () => {
  using place = temporaryStore();
  const store = await openSqliteStore(place.path);
  await store.initialise(MAPPING, [SHARD]);
  const texts = ["", "{", "null", "[]", '{"revision":1}', '{"revision":"1","resume":{"kind":"oldest"}}'];
  for (const text of texts) {
    place.run(`UPDATE progress SET checkpoint = '${text}'`);
    const error = await rejectsWith("ERR_MILLRACE_STORE_CORRUPT", () => store.list(MAPPING));
    for (const part of ["shard-a", MAPPING, "delete this mapping's rows"])
      assert.ok(error.message.includes(part));
  }
  await store.remove(MAPPING);
  assert.deepEqual(await store.list(MAPPING), []);
  await store.close();
});

test("a store of a newer format is refused, with what to do", async () => {
  using place = temporaryStore();
  await (await openSqliteStore(place.path)).close();
  place.run("PRAGMA user_version = 1000");
  await assert.rejects(
    () => openSqliteStore(place.path),
    (error) => hasErrorCode(error, "ERR_MILLRACE_STORE_CORRUPT") && error.message.includes("format 1000"),
  );
});

test("a file that is not a store is refused and left as it is", async () => {
  using place = temporaryStore();
  writeFileSync(place.path, "no database, but a text that is long enough to be looked at".repeat(20));
  await assert.rejects(() => openSqliteStore(place.path), { code: "ERR_MILLRACE_STORE_CORRUPT" });
  rmSync(place.path);
  place.run("CREATE TABLE customer (name TEXT)");
  const before = readFileSync(place.path);
  await assert.rejects(() => openSqliteStore(place.path), { code: "ERR_MILLRACE_STORE_CORRUPT" });
  assert.ok(readFileSync(place.path).equals(before));
});

test("a folder that cannot be made is unavailable", async () => {
  using place = temporaryStore();
  writeFileSync(place.path, "");
  await assert.rejects(() => openSqliteStore(join(place.path, "progress.db")), {
    code: "ERR_MILLRACE_STORE_UNAVAILABLE",
  });
});

test("a store that another process has locked is unavailable, and works again afterwards", async () => {
  using place = temporaryStore();
  const store = await openSqliteStore(place.path);
  const other = new DatabaseSync(place.path);
  other.exec("BEGIN IMMEDIATE");
  const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.initialise(MAPPING, [SHARD]));
  assert.ok(error.message.includes("locked"), error.message);
  assert.deepEqual(await store.list(MAPPING), []);
  other.exec("ROLLBACK");
  other.close();
  await store.initialise(MAPPING, [SHARD]);
  assert.equal((await store.list(MAPPING)).length, 1);
  await store.close();
  await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.list(MAPPING));
});

test("an initialisation that fails midway leaves none of its records", async () => {
  using place = temporaryStore();
  const store = await openSqliteStore(place.path);
  place.run(
    "CREATE TRIGGER refuse BEFORE INSERT ON progress WHEN NEW.shard_id = 'shard-b' BEGIN SELECT RAISE(FAIL, 'no'); END",
  );
  const second = { ...SHARD, shard: { ...SHARD.shard, shardId: "shard-b" } };
  await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.initialise(MAPPING, [SHARD, second]));
  assert.deepEqual(await store.list(MAPPING), []);
  await store.close();
});

test("a checkpoint that was acknowledged outlives the sudden death of its process", async () => {
  using place = temporaryStore();
  const child = spawn(process.execPath, [CHECKPOINTER, place.path, MAPPING], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged >= 200) child.kill("SIGKILL");
  }
  await exited;
  assert.ok(acknowledged >= 200, "the process died before it wrote");
  const store = await openSqliteStore(place.path);
  const [progress] = await store.list(MAPPING);
  assert.ok((progress?.checkpoint.revision ?? 0) >= acknowledged);
  await store.close();
});

function temporaryStore() {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  const path = join(folder, "progress.db");
  return {
    path,
    run(sql: string) {
      const database = new DatabaseSync(path);
      database.exec(sql);
      database.close();
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true });
    },
  };
}
