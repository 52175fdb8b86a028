import type { SnapshotStore, StoredSnapshot } from "../ports/snapshot-store.ts";
import { POSTGRES_LIMITS, PostgresDatabase, type PostgresLimits } from "./postgres-database.ts";
import { readPostgresSettings } from "./postgres-settings.ts";
import type { Environment } from "./postgres-url.ts";
import { checkSnapshot } from "./snapshot-bounds.ts";

/** One, of its own: somebody looks just then when checkpoints wait for the store. */
const CONNECTIONS = 1;

/**
 * Keeps snapshots in the schema that also keeps progress. Each change is one statement.
 * @throws ERR_MILLRACE_CONFIG, ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openPostgresStore`.
 */
export async function openPostgresSnapshotStore(
  url: string,
  options: { readonly limits?: PostgresLimits; readonly environment?: Environment } = {},
): Promise<SnapshotStore> {
  const { limits = { ...POSTGRES_LIMITS, connections: CONNECTIONS }, environment = process.env } = options;
  const settings = readPostgresSettings(url, environment);
  return new PostgresSnapshotStore(await PostgresDatabase.open(settings, limits));
}

class PostgresSnapshotStore implements SnapshotStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async write(snapshot: StoredSnapshot) {
    checkSnapshot(snapshot);
    const { processId, atMs, document } = snapshot;
    await this.#database.query(SQL.write, [processId, atMs, Buffer.from(document)]);
  }

  async read() {
    const { rows } = await this.#database.query(SQL.read);
    return rows.map(({ process_id: processId, at, document }) => ({
      processId: String(processId),
      atMs: Number(at),
      document: document instanceof Uint8Array ? document : new Uint8Array(),
    }));
  }

  async ask(untilMs: number) {
    await this.#database.query(SQL.ask, [untilMs]);
  }

  async askedUntil() {
    const { rows } = await this.#database.query(SQL.askedUntil);
    return Number(rows[0]?.["asked_until"] ?? 0);
  }

  async prune({ beforeMs, keep }: { readonly beforeMs: number; readonly keep: number }) {
    await this.#database.query(SQL.prune, [beforeMs, keep]);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

const SQL = {
  write:
    "INSERT INTO millrace.process_snapshot (process_id, at, document) VALUES ($1, $2, $3) " +
    "ON CONFLICT (process_id) DO UPDATE SET at = excluded.at, document = excluded.document",
  read: "SELECT process_id, at, document FROM millrace.process_snapshot",
  ask:
    "INSERT INTO millrace.snapshot_ask AS ask (id, asked_until) VALUES (1, $1) " +
    "ON CONFLICT (id) DO UPDATE SET asked_until = greatest(ask.asked_until + 1, excluded.asked_until)",
  askedUntil: "SELECT asked_until FROM millrace.snapshot_ask",
  prune:
    "DELETE FROM millrace.process_snapshot WHERE at < $1 OR process_id NOT IN " +
    "(SELECT process_id FROM millrace.process_snapshot ORDER BY at DESC, process_id LIMIT $2)",
} as const;
