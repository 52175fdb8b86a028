import type { DatabaseSync } from "node:sqlite";
import type { Checkpoint } from "../model/checkpoint.ts";
import type {
  HeldLease,
  LeaseSight,
  NewShard,
  ProgressStore,
  ShardProgress,
} from "../ports/progress-store.ts";
import type { LiveFile } from "../sqlite/live-file.ts";
import type { WaitClock } from "../sqlite/lock-wait.ts";
import { changedRows, inTransaction } from "../sqlite/transaction.ts";
import { writeCheckpoint } from "./checkpoint-json.ts";
import { fileWasReplaced, openProgressFile, storeError } from "./progress-database.ts";
import { PROGRESS_COLUMNS, type ProgressRow, readOptional, readProgressRow } from "./progress-row.ts";

export interface SqliteStoreOptions {
  readonly clock?: WaitClock;
}

/**
 * Keeps progress in an SQLite file, which is made when it does not exist. Several processes of one host may share it.
 * Every conditional write is one statement; what it did survives `SIGKILL` at any moment. A file that is locked by
 * another process is waited for without holding the event loop.
 *
 * A file that is removed under its users keeps nothing: each call looks whether the path still leads to the file that
 * is open. While there is none, calls fail; once there is another one it is used, by which every lease under the former
 * file is fenced, and each mapping is told once.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE when the file cannot be opened, ERR_MILLRACE_STORE_CORRUPT when it is not a
 * store or one of a newer version.
 */
export async function openSqliteStore(
  path: string,
  options: SqliteStoreOptions = {},
): Promise<ProgressStore> {
  return new SqliteStore(path, await openProgressFile(path, prepareStatements, options.clock));
}

type Statements = ReturnType<typeof prepareStatements>;

/** How often a file is looked at for the listeners' sake, besides at every call. */
const LOOK_MS = 1_000;

class SqliteStore implements ProgressStore {
  readonly #path: string;
  readonly #file: LiveFile<Statements>;
  /** By mapping: the generation of the file that it was told of. */
  readonly #told = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #looking: NodeJS.Timeout | undefined;

  constructor(path: string, file: LiveFile<Statements>) {
    this.#path = path;
    this.#file = file;
  }

  async list(mappingUuid: string): Promise<readonly ShardProgress[]> {
    return await this.#guard(
      this.#file.read(({ list }) => {
        this.#tell(mappingUuid);
        return list.all(mappingUuid).map((row) => this.#read(mappingUuid, row));
      }),
    );
  }

  async initialise(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    await this.#write((sql, database) =>
      inTransaction(database, "IMMEDIATE", () => {
        if (sql.any.get(mappingUuid) === undefined) insert(sql, mappingUuid, shards);
      }),
    );
  }

  async add(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    await this.#write((sql, database) =>
      inTransaction(database, "IMMEDIATE", () => insert(sql, mappingUuid, shards)),
    );
  }

  async acquire(
    mappingUuid: string,
    shardId: string,
    owner: string,
    seen: LeaseSight,
  ): Promise<ShardProgress | undefined> {
    return await this.#write(({ acquire }) => {
      const [row] = acquire(owner, mappingUuid, shardId, seen.epoch, seen.counter);
      return row === undefined ? undefined : this.#read(mappingUuid, row);
    });
  }

  async renew(mappingUuid: string, lease: HeldLease) {
    return await this.#write(({ renew }) => {
      const [row] = renew(mappingUuid, lease.shardId, lease.owner, lease.epoch);
      if (row === undefined) return { kind: "fenced" } as const;
      return { kind: "renewed", handoverTo: readOptional(row["handover_to"]) } as const;
    });
  }

  async checkpoint(mappingUuid: string, lease: HeldLease, checkpoint: Checkpoint) {
    const { shardId, owner, epoch } = lease;
    const { revision } = checkpoint;
    const text = writeCheckpoint(checkpoint);
    return await this.#write((sql) => {
      const write = sql.checkpoint.run(text, revision, mappingUuid, shardId, owner, epoch, revision);
      if (write.changes === 1) return "stored";
      return sql.held.get(mappingUuid, shardId, owner, epoch) === undefined ? "fenced" : "stale";
    });
  }

  async release(mappingUuid: string, lease: HeldLease) {
    return await this.#write(({ release }) => {
      const { changes } = release.run(mappingUuid, lease.shardId, lease.owner, lease.epoch);
      return changes === 1 ? "released" : "fenced";
    });
  }

  async requestHandover(
    mappingUuid: string,
    shardId: string,
    seen: LeaseSight,
    claimant: string,
  ): Promise<void> {
    await this.#write((sql) => sql.requestHandover.run(claimant, mappingUuid, shardId, seen.epoch));
  }

  async remove(mappingUuid: string, shardId?: string): Promise<void> {
    await this.#write((sql) =>
      shardId === undefined ? sql.removeMapping.run(mappingUuid) : sql.removeShard.run(mappingUuid, shardId),
    );
  }

  /** Leases are looked at as soon as the file is another one: its new owners must not be two for long. */
  onChange(_mappingUuid: string, listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#endLooking();
    };
  }

  async close(): Promise<void> {
    this.#endLooking();
    this.#file.close();
  }

  #look(): void {
    let sight: ReturnType<LiveFile<Statements>["look"]> | undefined;
    try {
      sight = this.#file.look();
    } catch {
      // Whoever calls next is told why the path cannot be looked at.
    }
    if (sight !== "same") for (const listener of this.#listeners) listener();
  }

  #endLooking(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  #tell(mappingUuid: string): void {
    const { generation } = this.#file;
    const told = this.#told.get(mappingUuid) ?? 0;
    this.#told.set(mappingUuid, generation);
    if (told !== generation) throw fileWasReplaced(this.#path);
  }

  #read(mappingUuid: string, row: ProgressRow): ShardProgress {
    return readProgressRow(row, mappingUuid, { place: this.#path, table: "progress" });
  }

  #write<T>(work: (sql: Statements, database: DatabaseSync) => T): Promise<T> {
    return this.#guard(this.#file.write(work));
  }

  async #guard<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
}

function insert(sql: Statements, mappingUuid: string, shards: readonly NewShard[]): void {
  for (const { shard, checkpoint, epoch = 0 } of shards) {
    const parents = JSON.stringify(shard.parentShardIds);
    const text = writeCheckpoint(checkpoint);
    sql.insert.run(mappingUuid, shard.shardId, parents, epoch, checkpoint.revision, text);
  }
}

const ONE = "mapping_uuid = ? AND shard_id = ?";
/** The fence: only who holds the lease now, in this epoch, changes the record. */
// plant: sqlites-store-does-not-fence
const HELD = `${ONE} AND owner = ? AND epoch = ?`;

function prepareStatements(database: DatabaseSync) {
  return {
    list: database.prepare(`SELECT ${PROGRESS_COLUMNS} FROM progress WHERE mapping_uuid = ?`),
    any: database.prepare("SELECT 1 FROM progress WHERE mapping_uuid = ? LIMIT 1"),
    held: database.prepare(`SELECT 1 FROM progress WHERE ${HELD}`),
    insert: database.prepare(
      "INSERT INTO progress (mapping_uuid, shard_id, parent_shard_ids, epoch, revision, checkpoint) " +
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    ),
    acquire: changedRows(
      database,
      "UPDATE progress SET owner = ?, epoch = epoch + 1, counter = counter + 1, handover_to = NULL " +
        `WHERE ${ONE} AND epoch = ? AND counter = ? RETURNING ${PROGRESS_COLUMNS}`,
    ),
    renew: changedRows(
      database,
      `UPDATE progress SET counter = counter + 1 WHERE ${HELD} RETURNING handover_to`,
    ),
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
