import type { DatabaseSync } from "node:sqlite";
import type { SnapshotStore, StoredSnapshot } from "../ports/snapshot-store.ts";
import type { LiveFile } from "../sqlite/live-file.ts";
import { openProgressFile, storeError } from "./progress-database.ts";
import { checkSnapshot } from "./snapshot-bounds.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";

/**
 * Keeps snapshots in the SQLite file that also keeps progress. What becomes of it when that file is removed: see
 * `openSqliteStore`.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`.
 */
export async function openSqliteSnapshotStore(
  path: string,
  options: SqliteStoreOptions = {},
): Promise<SnapshotStore> {
  return new SqliteSnapshotStore(path, await openProgressFile(path, prepareStatements, options.clock));
}

type Statements = ReturnType<typeof prepareStatements>;

class SqliteSnapshotStore implements SnapshotStore {
  readonly #path: string;
  readonly #file: LiveFile<Statements>;

  constructor(path: string, file: LiveFile<Statements>) {
    this.#path = path;
    this.#file = file;
  }

  async write(snapshot: StoredSnapshot) {
    checkSnapshot(snapshot);
    const { processId, atMs, document } = snapshot;
    await this.#guard(this.#file.write((sql) => sql.write.run(processId, atMs, document)));
  }

  async read() {
    const rows = await this.#guard(this.#file.read((sql) => sql.read.all()));
    return rows.map(({ process_id: processId, at, document }) => ({
      processId: String(processId),
      atMs: Number(at),
      document: document instanceof Uint8Array ? document : new Uint8Array(),
    }));
  }

  async ask(untilMs: number) {
    await this.#guard(this.#file.write((sql) => sql.ask.run(untilMs, untilMs)));
  }

  async askedUntil() {
    const [row] = await this.#guard(this.#file.read((sql) => sql.askedUntil.all()));
    return Number(row?.["asked_until"] ?? 0);
  }

  async prune({ beforeMs, keep }: { readonly beforeMs: number; readonly keep: number }) {
    await this.#guard(this.#file.write((sql) => sql.prune.run(beforeMs, keep)));
  }

  async close() {
    this.#file.close();
  }

  async #guard<Result>(result: Promise<Result>): Promise<Result> {
    try {
      return await result;
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
}

function prepareStatements(database: DatabaseSync) {
  return {
    write: database.prepare(
      "INSERT INTO process_snapshot (process_id, at, document) VALUES (?, ?, ?) " +
        "ON CONFLICT (process_id) DO UPDATE SET at = excluded.at, document = excluded.document",
    ),
    read: database.prepare("SELECT process_id, at, document FROM process_snapshot"),
    ask: database.prepare(
      "INSERT INTO snapshot_ask (id, asked_until) VALUES (1, ?) " +
        "ON CONFLICT (id) DO UPDATE SET asked_until = max(asked_until + 1, ?)",
    ),
    askedUntil: database.prepare("SELECT asked_until FROM snapshot_ask"),
    prune: database.prepare(
      "DELETE FROM process_snapshot WHERE at < ? OR process_id NOT IN " +
        "(SELECT process_id FROM process_snapshot ORDER BY at DESC, process_id LIMIT ?)",
    ),
  };
}
