import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openPostgresStore } from "../../src/stores/postgres.ts";
import { openPostgresResourceStore } from "../../src/stores/postgres-resources.ts";
import { startPostgres, withClient } from "./postgres.ts";

const HANG = { timeout: 120_000 };
const server = await startPostgres();
after(() => server.close());

/** As the versions that wrote it made it, word for word: what they left behind does not change with us. */
const FORMAT_3 = `
  CREATE SCHEMA millrace;
  CREATE TABLE millrace.schema_version (version integer PRIMARY KEY);
  CREATE TABLE millrace.progress (
    mapping_uuid text COLLATE "C" NOT NULL,
    shard_id text COLLATE "C" NOT NULL,
    parent_shard_ids text NOT NULL,
    owner text,
    epoch bigint NOT NULL DEFAULT 0,
    counter bigint NOT NULL DEFAULT 0,
    handover_to text,
    checkpoint_epoch bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL,
    checkpoint text NOT NULL,
    PRIMARY KEY (mapping_uuid, shard_id)
  );
  CREATE TABLE millrace.mapping (
    uuid text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    claims text NOT NULL,
    document text NOT NULL
  );
  CREATE TABLE millrace.mapping_claim (
    digest text COLLATE "C" PRIMARY KEY,
    mapping_uuid text COLLATE "C" NOT NULL REFERENCES millrace.mapping ON DELETE CASCADE
  );
  CREATE INDEX mapping_claim_by_mapping ON millrace.mapping_claim (mapping_uuid);
  CREATE TABLE millrace.mapping_version (version bigint NOT NULL);
  CREATE TABLE millrace.mapping_process (
    process_id text COLLATE "C" PRIMARY KEY,
    applied_version bigint NOT NULL,
    beat bigint NOT NULL
  );
  INSERT INTO millrace.schema_version VALUES (1), (2), (3);
  INSERT INTO millrace.progress (mapping_uuid, shard_id, parent_shard_ids, revision, checkpoint)
    VALUES ('m-1', 'shard-a', '[]', 0, '{"revision":0,"resume":{"kind":"oldest"},"settledRanges":[],"ended":false}');
  INSERT INTO millrace.mapping VALUES ('m-1', 6, '["a","b"]', '{"n":1}'), ('m-2', 7, '["c"]', '{"n":2}');
  INSERT INTO millrace.mapping_claim
    SELECT encode(sha256(convert_to(claim, 'UTF8')), 'hex'), uuid
    FROM (VALUES ('a', 'm-1'), ('b', 'm-1'), ('c', 'm-2')) AS held (claim, uuid);
  INSERT INTO millrace.mapping_version VALUES (9);
  INSERT INTO millrace.mapping_process VALUES ('p1', 8, 41);
  CREATE TABLE millrace.cell (name text COLLATE "C" PRIMARY KEY, revision bigint NOT NULL, document text)
`;
const RUNNING = "UPDATE millrace.mapping_version SET version = version + 1";

test(
  "a store of the format of mappings is raised by several at once: its rows are mappings, with claims and beats",
  HANG,
  async () => {
    const url = await server.createDatabase();
    await withClient(url, (client) => client.query(FORMAT_3));
    const [store, ...others] = await Promise.all([
      openPostgresResourceStore(url),
      openPostgresResourceStore(url),
      openPostgresStore(url),
    ]);
    const rows = [...(await store.list(["mapping"]))].sort((a, b) => a.version - b.version);
    assert.deepEqual(rows, [
      { ...mapping("m-1", ["a", "b"], '{"n":1}'), version: 6 },
      { ...mapping("m-2", ["c"], '{"n":2}'), version: 7 },
    ]);
    assert.equal(await store.newestVersion(), 9);
    assert.deepEqual(await store.processes(), [{ processId: "p1", appliedVersion: 8, beat: 41 }]);
    assert.deepEqual(await store.insert(mapping("m-3", ["c"], "{}")), { kind: "conflict", uid: "m-2" });
    const namesake = { ...mapping("m-3", [], "{}"), name: "m-1" };
    assert.deepEqual(await store.insert(namesake), { kind: "conflict", uid: "m-1" });
    const written = { kind: "written", version: 10 };
    assert.deepEqual(await store.replace(mapping("m-1", ["a"], '{"n":3}'), 6), written);
    const progress = others[1];
    assert.equal((await progress.list("m-1")).length, 1);
    await assert.rejects(
      withClient(url, (client) => client.query(RUNNING)),
      /does not exist/,
    );
    await Promise.all([store, ...others].map((each) => each.close()));
  },
);

test(
  "what a process of the format of mappings is about to commit is not lost when the store is raised",
  HANG,
  async () => {
    const url = await server.createDatabase();
    await withClient(url, async (client) => {
      await client.query(FORMAT_3);
      await client.query("BEGIN; SELECT version FROM millrace.mapping_version FOR UPDATE");
      const opening = openPostgresResourceStore(url);
      await client.query(
        `INSERT INTO millrace.mapping VALUES ('m-3', 10, '[]', '{"n":3}'); ${RUNNING}; COMMIT`,
      );
      const store = await opening;
      assert.equal((await store.get("m-3"))?.document, '{"n":3}');
      assert.equal(await store.newestVersion(), 10);
      await store.close();
    });
  },
);

function mapping(uid: string, claims: readonly string[], document: string) {
  return { uid, kind: "mapping", name: uid, claims, document };
}
