import type { DatabaseSync } from "node:sqlite";
import type { Checkpoint } from "../model/checkpoint.ts";
import type {
  HeldLease,
  LeaseSight,
  NewShard,
  ProgressStore,
  ShardProgress,
} from "../ports/progress-store.ts";
import { writeCheckpoint } from "./checkpoint-json.ts";
import { inTransaction, openProgressDatabase, storeError } from "./progress-database.ts";
import { PROGRESS_COLUMNS, type ProgressRow, readOptional, readProgressRow } from "./progress-row.ts";

/**
 * Keeps progress in an SQLite file, which is made when it does not exist. Several processes of one host may share it.
 * Every conditional write is one statement; what it did survives `SIGKILL` at any moment.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE when the file cannot be opened, ERR_MILLRACE_STORE_CORRUPT when it is not a
 * store or one of a newer version.
 */
export function createSqliteStore(path: string): ProgressStore {
  return new SqliteStore(path);
}

class SqliteStore implements ProgressStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(path: string) {
    this.#path = path;
    this.#database = openProgressDatabase(path);
    this.#sql = prepareStatements(this.#database);
  }

  async list(mappingUuid: string): Promise<readonly ShardProgress[]> {
    return this.#guard(() => this.#sql.list.all(mappingUuid).map((row) => this.#read(mappingUuid, row)));
  }

  async initialise(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    this.#guard(() =>
      inTransaction(this.#database, () => {
        if (this.#sql.any.get(mappingUuid) === undefined) this.#insert(mappingUuid, shards);
      }),
    );
  }

  async add(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    this.#guard(() => inTransaction(this.#database, () => this.#insert(mappingUuid, shards)));
  }

  async acquire(
    mappingUuid: string,
    shardId: string,
    owner: string,
    seen: LeaseSight,
  ): Promise<ShardProgress | undefined> {
    return this.#guard(() => {
      const row = this.#sql.acquire.get(owner, mappingUuid, shardId, seen.epoch, seen.counter);
      return row === undefined ? undefined : this.#read(mappingUuid, row);
    });
  }

  async renew(mappingUuid: string, lease: HeldLease) {
    return this.#guard(() => {
      const row = this.#sql.renew.get(mappingUuid, lease.shardId, lease.owner, lease.epoch);
      if (row === undefined) return { kind: "fenced" } as const;
      return { kind: "renewed", handoverTo: readOptional(row["handover_to"]) } as const;
    });
  }

  async checkpoint(mappingUuid: string, lease: HeldLease, checkpoint: Checkpoint) {
    const { shardId, owner, epoch } = lease;
    const { revision } = checkpoint;
    const text = writeCheckpoint(checkpoint);
    return this.#guard(() => {
      const write = this.#sql.checkpoint.run(text, revision, mappingUuid, shardId, owner, epoch, revision);
      if (write.changes === 1) return "stored";
      return this.#sql.held.get(mappingUuid, shardId, owner, epoch) === undefined ? "fenced" : "stale";
    });
  }

  async release(mappingUuid: string, lease: HeldLease) {
    return this.#guard(() => {
      const { changes } = this.#sql.release.run(mappingUuid, lease.shardId, lease.owner, lease.epoch);
      return changes === 1 ? "released" : "fenced";
    });
  }

  async requestHandover(
    mappingUuid: string,
    shardId: string,
    seen: LeaseSight,
    claimant: string,
  ): Promise<void> {
    this.#guard(() => this.#sql.requestHandover.run(claimant, mappingUuid, shardId, seen.epoch));
  }

  async remove(mappingUuid: string, shardId?: string): Promise<void> {
    this.#guard(() =>
      shardId === undefined
        ? this.#sql.removeMapping.run(mappingUuid)
        : this.#sql.removeShard.run(mappingUuid, shardId),
    );
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #insert(mappingUuid: string, shards: readonly NewShard[]): void {
    for (const { shard, checkpoint } of shards) {
      const parents = JSON.stringify(shard.parentShardIds);
      const text = writeCheckpoint(checkpoint);
      this.#sql.insert.run(mappingUuid, shard.shardId, parents, checkpoint.revision, text);
    }
  }

  #read(mappingUuid: string, row: ProgressRow): ShardProgress {
    return readProgressRow(row, mappingUuid, { place: this.#path, table: "progress" });
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
}

const ONE = "mapping_uuid = ? AND shard_id = ?";
/** The fence: only who holds the lease now, in this epoch, changes the record. */
const HELD = `${ONE} AND owner = ? AND epoch = ?`;

function prepareStatements(database: DatabaseSync) {
  return {
    list: database.prepare(`SELECT ${PROGRESS_COLUMNS} FROM progress WHERE mapping_uuid = ?`),
    any: database.prepare("SELECT 1 FROM progress WHERE mapping_uuid = ? LIMIT 1"),
    held: database.prepare(`SELECT 1 FROM progress WHERE ${HELD}`),
    insert: database.prepare(
      "INSERT INTO progress (mapping_uuid, shard_id, parent_shard_ids, revision, checkpoint) VALUES (?, ?, ?, ?, ?) " +
        "ON CONFLICT DO NOTHING",
    ),
    acquire: database.prepare(
      "UPDATE progress SET owner = ?, epoch = epoch + 1, counter = counter + 1, handover_to = NULL " +
        `WHERE ${ONE} AND epoch = ? AND counter = ? RETURNING ${PROGRESS_COLUMNS}`,
    ),
    renew: database.prepare(`UPDATE progress SET counter = counter + 1 WHERE ${HELD} RETURNING handover_to`),
    checkpoint: database.prepare(
      "UPDATE progress SET checkpoint = ?, revision = ?, checkpoint_epoch = epoch " +
        `WHERE ${HELD} AND (checkpoint_epoch < epoch OR revision < ?)`,
    ),
    release: database.prepare(`UPDATE progress SET owner = NULL, counter = counter + 1 WHERE ${HELD}`),
    // The counter is left out of the condition: it moves with every renewal, and advice may come a little late.
    requestHandover: database.prepare(`UPDATE progress SET handover_to = ? WHERE ${ONE} AND epoch = ?`),
    removeShard: database.prepare(`DELETE FROM progress WHERE ${ONE}`),
    removeMapping: database.prepare("DELETE FROM progress WHERE mapping_uuid = ?"),
  };
}
