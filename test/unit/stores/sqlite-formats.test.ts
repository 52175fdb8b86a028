import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openSqliteStore } from "../../../src/stores/sqlite.ts";
import { openSqliteCellStore } from "../../../src/stores/sqlite-cells.ts";
import { openSqliteResourceStore } from "../../../src/stores/sqlite-resources.ts";

/** As the versions that wrote it made it, word for word: what they left behind does not change with us. */
const FORMAT_1 = `
  PRAGMA application_id = ${0x4d527067};
  CREATE TABLE progress (
    mapping_uuid TEXT NOT NULL,
    shard_id TEXT NOT NULL,
    parent_shard_ids TEXT NOT NULL,
    owner TEXT,
    epoch INTEGER NOT NULL DEFAULT 0,
    counter INTEGER NOT NULL DEFAULT 0,
    handover_to TEXT,
    checkpoint_epoch INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL,
    checkpoint TEXT NOT NULL,
    PRIMARY KEY (mapping_uuid, shard_id)
  ) STRICT;
  INSERT INTO progress (mapping_uuid, shard_id, parent_shard_ids, revision, checkpoint)
    VALUES ('m-1', 'shard-a', '[]', 0, '{"revision":0,"resume":{"kind":"oldest"},"settledRanges":[],"ended":false}');
  PRAGMA user_version = 1;
`;
const FORMAT_2 = `
  ${FORMAT_1}
  CREATE TABLE mapping (uuid TEXT PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
  CREATE TABLE mapping_claim (claim TEXT PRIMARY KEY, mapping_uuid TEXT NOT NULL) STRICT;
  CREATE INDEX mapping_claim_by_mapping ON mapping_claim (mapping_uuid);
  CREATE TABLE mapping_version (version INTEGER NOT NULL) STRICT;
  CREATE TABLE mapping_process (
    process_id TEXT PRIMARY KEY,
    applied_version INTEGER NOT NULL,
    beat INTEGER NOT NULL
  ) STRICT;
  INSERT INTO mapping VALUES ('m-1', 6, '{"n":1}'), ('m-2', 7, '{"n":2}');
  INSERT INTO mapping_claim VALUES ('a', 'm-1'), ('b', 'm-1'), ('c', 'm-2');
  INSERT INTO mapping_version (version) VALUES (9);
  INSERT INTO mapping_process VALUES ('p1', 8, 41);
  PRAGMA user_version = 2;
`;
const FORMAT_3 = `
  ${FORMAT_2}
  CREATE TABLE cell (name TEXT PRIMARY KEY, revision INTEGER NOT NULL, document TEXT) STRICT;
  INSERT INTO cell VALUES ('c', 5, '{}');
  PRAGMA user_version = 3;
`;

test("a store of the format before the control plane is raised, and keeps its progress", async () => {
  using place = storeOf(FORMAT_1);
  const resources = await openSqliteResourceStore(place.path);
  assert.deepEqual(await resources.list(), []);
  assert.equal((await resources.insert(mapping("m-3", ["a"], "{}"))).kind, "written");
  await resources.close();
  await assertProgress(place.path);
});

for (const [name, sql] of Object.entries({ "of mappings": FORMAT_2, "of mappings and cells": FORMAT_3 })) {
  test(`a store of the format ${name} is raised: its rows are mappings, with claims, versions and beats`, async () => {
    using place = storeOf(sql);
    const store = await openSqliteResourceStore(place.path);
    const rows = [...(await store.list(["mapping"]))].sort((a, b) => a.version - b.version);
    assert.deepEqual(rows, [
      { ...mapping("m-1", ["a", "b"], '{"n":1}'), version: 6 },
      { ...mapping("m-2", ["c"], '{"n":2}'), version: 7 },
    ]);
    assert.equal(await store.newestVersion(), 9);
    assert.deepEqual(await store.processes(), [{ processId: "p1", appliedVersion: 8, beat: 41 }]);
    assert.deepEqual(await store.insert(mapping("m-3", ["c"], "{}")), { kind: "conflict", uid: "m-2" });
    assert.deepEqual(await store.insert({ ...mapping("m-3", [], "{}"), name: "m-1" }), {
      kind: "conflict",
      uid: "m-1",
    });
    assert.deepEqual(await store.replace(mapping("m-1", ["a"], '{"n":3}'), 6), {
      kind: "written",
      version: 10,
    });
    await store.close();
    await assertProgress(place.path);
    const cells = await openSqliteCellStore(place.path);
    assert.equal((await cells.read("")).length, sql === FORMAT_3 ? 1 : 0);
    await cells.close();
  });
}

test("a process that runs on the format of mappings can neither read rows nor beat once the store is raised", async () => {
  using place = storeOf(FORMAT_3);
  const running = new DatabaseSync(place.path);
  const statements = [
    running.prepare("SELECT version FROM mapping_version"),
    running.prepare("UPDATE mapping_process SET beat = beat + 1"),
    running.prepare("UPDATE mapping_version SET version = version + 1 RETURNING version"),
  ];
  await (await openSqliteResourceStore(place.path)).close();
  for (const statement of statements) assert.throws(() => statement.all(), /no such table/);
  const format = running.prepare("PRAGMA user_version").get();
  assert.ok(
    Number(format?.["user_version"]) > 2,
    "a process that starts reads formats up to 2, and refuses it",
  );
  running.close();
});

async function assertProgress(path: string): Promise<void> {
  const store = await openSqliteStore(path);
  assert.deepEqual(
    (await store.list("m-1")).map(({ shardId }) => shardId),
    ["shard-a"],
  );
  await store.close();
}

function mapping(uid: string, claims: readonly string[], document: string) {
  return { uid, kind: "mapping", name: uid, claims, document };
}

function storeOf(sql: string) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  const path = join(folder, "progress.db");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec(sql);
  database.close();
  return {
    path,
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true });
    },
  };
}
