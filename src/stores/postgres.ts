import type { Checkpoint } from "../model/checkpoint.ts";
import type {
  HeldLease,
  LeaseSight,
  NewShard,
  ProgressStore,
  ShardProgress,
} from "../ports/progress-store.ts";
import { writeCheckpoint } from "./checkpoint-json.ts";
import {
  LOCK_SPACE,
  POSTGRES_LIMITS,
  PostgresDatabase,
  type PostgresLimits,
  type RunQuery,
} from "./postgres-database.ts";
import { readPostgresSettings } from "./postgres-settings.ts";
import type { Environment } from "./postgres-url.ts";
import { PROGRESS_COLUMNS, type ProgressRow, readOptional, readProgressRow } from "./progress-row.ts";

/**
 * Keeps progress in the schema `millrace` of a PostgreSQL database, which it makes itself. Every conditional write is
 * one statement and is sent once: whether a write took effect whose answer was lost is for the caller to read back. No
 * clock takes part, neither a process's nor the server's.
 * @throws ERR_MILLRACE_CONFIG for a URL that is not valid, ERR_MILLRACE_STORE_UNAVAILABLE when the database cannot be
 * used, ERR_MILLRACE_STORE_CORRUPT when its schema is not millrace's or of a newer version.
 */
export async function openPostgresStore(
  url: string,
  options: { readonly limits?: PostgresLimits; readonly environment?: Environment } = {},
): Promise<ProgressStore> {
  const { limits = POSTGRES_LIMITS, environment = process.env } = options;
  const settings = readPostgresSettings(url, environment);
  return new PostgresStore(await PostgresDatabase.open(settings, limits));
}

class PostgresStore implements ProgressStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async list(mappingUuid: string): Promise<readonly ShardProgress[]> {
    const { rows } = await this.#database.query<ProgressRow>(SQL.list, [mappingUuid]);
    return rows.map((row) => this.#read(mappingUuid, row));
  }

  async initialise(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    await this.#database.transaction(async (query) => {
      // When two processes find nothing, the second is to see what the first has written.
      await query("SELECT pg_advisory_xact_lock($1, hashtext($2))", [LOCK_SPACE, mappingUuid]);
      const { rows } = await query(SQL.any, [mappingUuid]);
      if (rows.length === 0) await insert(query, mappingUuid, shards);
    });
  }

  async add(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    await insert(this.#database.query, mappingUuid, shards);
  }

  async acquire(
    mappingUuid: string,
    shardId: string,
    owner: string,
    seen: LeaseSight,
  ): Promise<ShardProgress | undefined> {
    const values = [mappingUuid, shardId, owner, seen.epoch, seen.counter];
    const { rows } = await this.#database.query<ProgressRow>(SQL.acquire, values);
    return rows[0] === undefined ? undefined : this.#read(mappingUuid, rows[0]);
  }

  async renew(mappingUuid: string, lease: HeldLease) {
    const { rows } = await this.#database.query<ProgressRow>(SQL.renew, heldBy(mappingUuid, lease));
    if (rows[0] === undefined) return { kind: "fenced" } as const;
    return { kind: "renewed", handoverTo: readOptional(rows[0]["handover_to"]) } as const;
  }

  async checkpoint(mappingUuid: string, lease: HeldLease, checkpoint: Checkpoint) {
    const held = heldBy(mappingUuid, lease);
    const written = [...held, checkpoint.revision, writeCheckpoint(checkpoint)];
    if ((await this.#database.query(SQL.checkpoint, written)).changes === 1) return "stored";
    return (await this.#database.query(SQL.held, held)).rows.length === 0 ? "fenced" : "stale";
  }

  async release(mappingUuid: string, lease: HeldLease) {
    const { changes } = await this.#database.query(SQL.release, heldBy(mappingUuid, lease));
    return changes === 1 ? "released" : "fenced";
  }

  async requestHandover(
    mappingUuid: string,
    shardId: string,
    seen: LeaseSight,
    claimant: string,
  ): Promise<void> {
    await this.#database.query(SQL.requestHandover, [mappingUuid, shardId, seen.epoch, claimant]);
  }

  async remove(mappingUuid: string, shardId?: string): Promise<void> {
    if (shardId === undefined) await this.#database.query(SQL.removeMapping, [mappingUuid]);
    else await this.#database.query(SQL.removeShard, [mappingUuid, shardId]);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #read(mappingUuid: string, row: ProgressRow): ShardProgress {
    const { place } = this.#database;
    return readProgressRow(row, mappingUuid, { place, table: "millrace.progress" });
  }
}

/** One statement for any number of shards. In order, so that two that add the same do not wait for each other. */
async function insert(query: RunQuery, mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
  await query(SQL.insert, [
    mappingUuid,
    shards.map(({ shard }) => shard.shardId),
    shards.map(({ shard }) => JSON.stringify(shard.parentShardIds)),
    shards.map(({ epoch = 0 }) => epoch),
    shards.map(({ checkpoint }) => checkpoint.revision),
    shards.map(({ checkpoint }) => writeCheckpoint(checkpoint)),
  ]);
}

function heldBy(mappingUuid: string, { shardId, owner, epoch }: HeldLease): readonly unknown[] {
  return [mappingUuid, shardId, owner, epoch];
}

const ONE = "mapping_uuid = $1 AND shard_id = $2";
/** The fence: only who holds the lease now, in this epoch, changes the record. */
const HELD = `${ONE} AND owner = $3 AND epoch = $4`;
const TABLE = "millrace.progress";

const SQL = {
  list: `SELECT ${PROGRESS_COLUMNS} FROM ${TABLE} WHERE mapping_uuid = $1 ORDER BY shard_id`,
  any: `SELECT 1 FROM ${TABLE} WHERE mapping_uuid = $1 LIMIT 1`,
  held: `SELECT 1 FROM ${TABLE} WHERE ${HELD}`,
  insert:
    `INSERT INTO ${TABLE} (mapping_uuid, shard_id, parent_shard_ids, epoch, revision, checkpoint) ` +
    "SELECT $1, new.* " +
    "FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[]) AS new (shard_id, p, e, r, c) " +
    "ORDER BY new.shard_id ON CONFLICT DO NOTHING",
  acquire:
    `UPDATE ${TABLE} SET owner = $3, epoch = epoch + 1, counter = counter + 1, handover_to = NULL ` +
    `WHERE ${ONE} AND epoch = $4 AND counter = $5 RETURNING ${PROGRESS_COLUMNS}`,
  renew: `UPDATE ${TABLE} SET counter = counter + 1 WHERE ${HELD} RETURNING handover_to`,
  checkpoint:
    `UPDATE ${TABLE} SET checkpoint = $6, revision = $5, checkpoint_epoch = epoch ` +
    `WHERE ${HELD} AND (checkpoint_epoch < epoch OR revision < $5)`,
  release: `UPDATE ${TABLE} SET owner = NULL, counter = counter + 1 WHERE ${HELD}`,
  // The counter is left out of the condition: it moves with every renewal, and advice may come a little late.
  requestHandover: `UPDATE ${TABLE} SET handover_to = $4 WHERE ${ONE} AND epoch = $3`,
  removeShard: `DELETE FROM ${TABLE} WHERE ${ONE}`,
  removeMapping: `DELETE FROM ${TABLE} WHERE mapping_uuid = $1`,
} as const;
