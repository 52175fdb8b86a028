import type { CellStore } from "../ports/cell-store.ts";
import { checkCellDocument } from "./cell-bounds.ts";
import { POSTGRES_LIMITS, PostgresDatabase, type PostgresLimits } from "./postgres-database.ts";
import { readPostgresSettings } from "./postgres-settings.ts";
import type { Environment } from "./postgres-url.ts";

/** One, of its own: cells are few, and are heard also while checkpoints take all of the other pool. */
const CONNECTIONS = 1;

/**
 * Keeps cells in the schema that also keeps progress. Each swap is one statement.
 * @throws ERR_MILLRACE_CONFIG, ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openPostgresStore`.
 */
export async function openPostgresCellStore(
  url: string,
  options: { readonly limits?: PostgresLimits; readonly environment?: Environment } = {},
): Promise<CellStore> {
  const { limits = { ...POSTGRES_LIMITS, connections: CONNECTIONS }, environment = process.env } = options;
  const settings = readPostgresSettings(url, environment);
  return new PostgresCellStore(await PostgresDatabase.open(settings, limits));
}

class PostgresCellStore implements CellStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async read(prefix: string) {
    const { rows } = await this.#database.query(SQL.read, [prefix]);
    return rows.map((row) => ({
      name: String(row["name"]),
      revision: Number(row["revision"]),
      document: String(row["document"]),
    }));
  }

  async swap(name: string, seenRevision: number, document: string | undefined) {
    checkCellDocument(name, document);
    if (seenRevision === 0 && document === undefined) return { kind: "stale" } as const;
    const { rows } =
      seenRevision === 0
        ? await this.#database.query(SQL.make, [name, document])
        : await this.#database.query(SQL.move, [document ?? null, name, seenRevision]);
    if (rows[0] === undefined) return { kind: "stale" } as const;
    return { kind: "swapped", revision: Number(rows[0]["revision"]) } as const;
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

const SQL = {
  read: "SELECT name, revision, document FROM millrace.cell WHERE document IS NOT NULL AND starts_with(name, $1)",
  make:
    "INSERT INTO millrace.cell AS cell (name, revision, document) VALUES ($1, 1, $2) ON CONFLICT (name) " +
    "DO UPDATE SET revision = cell.revision + 1, document = excluded.document WHERE cell.document IS NULL " +
    "RETURNING cell.revision AS revision",
  // plant: a-cell-of-postgresql-is-swapped-whatever-was-seen
  move: "UPDATE millrace.cell SET revision = revision + 1, document = $1 WHERE name = $2 AND revision = $3 AND document IS NOT NULL RETURNING revision",
} as const;
