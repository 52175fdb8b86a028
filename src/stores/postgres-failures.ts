import {
  FAILURE_ROWS_MAX,
  type FailureIndex,
  type FailureMark,
  type FailureQuery,
  type FailureRow,
} from "../ports/failure-index.ts";
import { boundsOf, readFailure, writeFailure } from "./failure-document.ts";
import { POSTGRES_LIMITS, PostgresDatabase, type PostgresLimits } from "./postgres-database.ts";
import { readPostgresSettings } from "./postgres-settings.ts";
import type { Environment } from "./postgres-url.ts";

/** One, of its own: rows are written together, and read when somebody asks. */
const CONNECTIONS = 1;

export interface PostgresFailureOptions {
  readonly limits?: PostgresLimits;
  readonly environment?: Environment;
  readonly rowsMax?: number;
}

/**
 * Keeps rows of failures in the schema that also keeps progress.
 * @throws ERR_MILLRACE_CONFIG, ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openPostgresStore`.
 */
export async function openPostgresFailureIndex(
  url: string,
  options: PostgresFailureOptions = {},
): Promise<FailureIndex> {
  const { limits = { ...POSTGRES_LIMITS, connections: CONNECTIONS }, environment = process.env } = options;
  const settings = readPostgresSettings(url, environment);
  const database = await PostgresDatabase.open(settings, limits);
  return new PostgresFailureIndex(database, options.rowsMax ?? FAILURE_ROWS_MAX);
}

class PostgresFailureIndex implements FailureIndex {
  readonly #database: PostgresDatabase;
  readonly #rowsMax: number;

  constructor(database: PostgresDatabase, rowsMax: number) {
    this.#database = database;
    this.#rowsMax = rowsMax;
  }

  async add(rows: readonly FailureRow[]) {
    if (rows.length === 0) return;
    await this.#database.transaction(async (query) => {
      await query(SQL.insert, [
        rows.map(({ id }) => id),
        rows.map(({ mapping }) => mapping),
        rows.map(({ atMs }) => Math.floor(atMs)),
        rows.map(({ state }) => state),
        rows.map(({ redriveId }) => redriveId ?? null),
        rows.map(writeFailure),
      ]);
      await query(SQL.trim, [this.#rowsMax]);
    });
  }

  async list(query: FailureQuery) {
    const { since, until, afterMs, afterId } = boundsOf(query);
    const { mapping = null, redriveId = null, max } = query;
    const values = [Math.max(since, afterMs), until, afterMs, afterId, mapping, redriveId, max];
    const { rows } = await this.#database.query(SQL.list, values);
    return rows.map((row) => this.#read(row));
  }

  async get(id: string) {
    const { rows } = await this.#database.query(SQL.get, [id]);
    return rows[0] === undefined ? undefined : this.#read(rows[0]);
  }

  async mark(ids: readonly string[], { from, ofRedrive, state, redriveId }: FailureMark) {
    const values = [state, redriveId ?? null, [...ids], [...from], ofRedrive ?? null];
    const { rows } = await this.#database.query(SQL.mark, values);
    return rows.map((row) => String(row["id"]));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #read(row: Readonly<Record<string, unknown>>): FailureRow {
    const columns = {
      id: row["id"],
      mapping: row["mapping"],
      atMs: row["at_ms"],
      state: row["state"],
      redriveId: row["redrive_id"],
      document: row["document"],
    };
    return readFailure(columns, this.#database.place);
  }
}

const COLUMNS = "id, mapping, at_ms, state, redrive_id, document";

const SQL = {
  insert:
    `INSERT INTO millrace.failure (${COLUMNS}) SELECT * FROM ` +
    "unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[]) ON CONFLICT DO NOTHING",
  trim:
    "DELETE FROM millrace.failure WHERE id IN (SELECT id FROM millrace.failure ORDER BY at_ms, id " +
    "LIMIT greatest(0, (SELECT count(*) FROM millrace.failure) - $1::bigint))",
  list:
    `SELECT ${COLUMNS} FROM millrace.failure WHERE at_ms >= $1 AND at_ms < $2 AND (at_ms, id) > ($3, $4) ` +
    "AND ($5::text IS NULL OR mapping = $5) AND ($6::text IS NULL OR redrive_id = $6) ORDER BY at_ms, id LIMIT $7",
  get: `SELECT ${COLUMNS} FROM millrace.failure WHERE id = $1`,
  // plant: a-failure-of-postgresql-is-marked-whatever-its-state
  mark:
    "UPDATE millrace.failure SET state = $1, redrive_id = $2 WHERE id = ANY($3::text[]) AND state = ANY($4::text[]) " +
    "AND ($5::text IS NULL OR redrive_id = $5) RETURNING id",
} as const;
