import { MillraceError } from "../model/errors.ts";
import type { MappingRow, MappingStore, NewMappingRow, RowConflict } from "../ports/mapping-store.ts";
import { readStrings } from "./checkpoint-json.ts";
import { claimDigest } from "./claim-digest.ts";
import {
  POSTGRES_LIMITS,
  PostgresDatabase,
  type PostgresLimits,
  type RunQuery,
} from "./postgres-database.ts";
import { readPostgresSettings } from "./postgres-settings.ts";
import type { Environment } from "./postgres-url.ts";

/** Few, of its own: the control plane says little, and is heard also while checkpoints take all of the other pool. */
const CONNECTIONS = 2;

/**
 * Keeps the control plane's rows in the schema that also keeps progress. Each write is one transaction that begins with
 * the lock of the store's version, so that versions are given and seen in order.
 * @throws ERR_MILLRACE_CONFIG, ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openPostgresStore`.
 */
export async function openPostgresMappingStore(
  url: string,
  options: { readonly limits?: PostgresLimits; readonly environment?: Environment } = {},
): Promise<MappingStore> {
  const { limits = { ...POSTGRES_LIMITS, connections: CONNECTIONS }, environment = process.env } = options;
  const settings = readPostgresSettings(url, environment);
  return new PostgresMappingStore(await PostgresDatabase.open(settings, limits));
}

class PostgresMappingStore implements MappingStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async list() {
    const { rows } = await this.#database.query(SQL.list);
    return rows.map((row) => this.#read(row));
  }

  async get(uuid: string) {
    const { rows } = await this.#database.query(SQL.get, [uuid]);
    return rows[0] === undefined ? undefined : this.#read(rows[0]);
  }

  async insert(row: NewMappingRow) {
    return await this.#write(async (query, next) => {
      const { rows } = await query(SQL.get, [row.uuid]);
      if (rows.length > 0) return { kind: "conflict", uuid: row.uuid } as const;
      return (await conflictOf(query, row)) ?? (await put(query, row, await next(), SQL.insert));
    });
  }

  async replace(row: NewMappingRow, seenVersion: number) {
    return await this.#write(async (query, next) => {
      const { rows } = await query(SQL.at, [row.uuid, seenVersion]);
      if (rows.length === 0) return { kind: "stale" } as const;
      const conflict = await conflictOf(query, row);
      if (conflict !== undefined) return conflict;
      await query(SQL.freeClaims, [row.uuid]);
      return await put(query, row, await next(), SQL.replace);
    });
  }

  async remove(uuid: string, seenVersion: number) {
    return await this.#write(async (query, next) => {
      if ((await query(SQL.remove, [uuid, seenVersion])).changes === 0) return { kind: "stale" } as const;
      await next();
      return { kind: "removed" } as const;
    });
  }

  async newestVersion() {
    const { rows } = await this.#database.query(SQL.version);
    return this.#version(rows[0]);
  }

  async announce(processId: string, appliedVersion: number) {
    await this.#database.query(SQL.announce, [processId, appliedVersion]);
  }

  async processes() {
    const { rows } = await this.#database.query(SQL.processes);
    return rows.map((row) => ({
      processId: String(row["process_id"]),
      appliedVersion: Number(row["applied_version"]),
      beat: Number(row["beat"]),
    }));
  }

  async forget(processId: string) {
    await this.#database.query(SQL.forget, [processId]);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** `next` gives the version that is written; where it is not asked for the store stays at its own. */
  #write<Result>(change: (query: RunQuery, next: () => Promise<number>) => Promise<Result>): Promise<Result> {
    return this.#database.transaction(async (query) => {
      const { rows } = await query(SQL.lockVersion);
      this.#version(rows[0]);
      return await change(query, async () => this.#version((await query(SQL.nextVersion)).rows[0]));
    });
  }

  #version(row: Readonly<Record<string, unknown>> | undefined): number {
    if (row !== undefined) return Number(row["version"]);
    throw this.#corrupt("has no version of its mappings", "table `millrace.mapping_version`");
  }

  #read(row: Readonly<Record<string, unknown>>): MappingRow {
    const uuid = String(row["uuid"]);
    const claims = readStrings(String(row["claims"]));
    if (claims === undefined)
      throw this.#corrupt(`holds a mapping ${uuid} that cannot be read`, "row of `millrace.mapping`");
    return { uuid, claims, document: String(row["document"]), version: Number(row["version"]) };
  }

  #corrupt(what: string, part: string): MillraceError {
    return new MillraceError(
      "ERR_MILLRACE_STORE_CORRUPT",
      `The store ${this.#database.place} ${what}. Stop millrace and bring back a copy of that ${part}.`,
    );
  }
}

async function conflictOf(query: RunQuery, row: NewMappingRow): Promise<RowConflict | undefined> {
  const { rows } = await query(SQL.holder, [digestsOf(row), row.uuid]);
  return rows[0] === undefined ? undefined : { kind: "conflict", uuid: String(rows[0]["mapping_uuid"]) };
}

async function put(query: RunQuery, row: NewMappingRow, version: number, sql: string) {
  await query(sql, [row.uuid, version, JSON.stringify([...new Set(row.claims)]), row.document]);
  await query(SQL.claim, [digestsOf(row), row.uuid]);
  return { kind: "written", version } as const;
}

function digestsOf({ claims }: NewMappingRow): readonly string[] {
  return [...new Set(claims)].map(claimDigest);
}

const COLUMNS = "uuid, version, claims, document";

const SQL = {
  list: `SELECT ${COLUMNS} FROM millrace.mapping`,
  get: `SELECT ${COLUMNS} FROM millrace.mapping WHERE uuid = $1`,
  at: "SELECT 1 FROM millrace.mapping WHERE uuid = $1 AND version = $2",
  insert: `INSERT INTO millrace.mapping (${COLUMNS}) VALUES ($1, $2, $3, $4)`,
  replace: "UPDATE millrace.mapping SET version = $2, claims = $3, document = $4 WHERE uuid = $1",
  /** Its claims go with it. */
  remove: "DELETE FROM millrace.mapping WHERE uuid = $1 AND version = $2",
  holder:
    "SELECT mapping_uuid FROM millrace.mapping_claim WHERE digest = ANY ($1::text[]) AND mapping_uuid <> $2 LIMIT 1",
  claim: "INSERT INTO millrace.mapping_claim (digest, mapping_uuid) SELECT unnest($1::text[]), $2::text",
  freeClaims: "DELETE FROM millrace.mapping_claim WHERE mapping_uuid = $1",
  version: "SELECT version FROM millrace.mapping_version",
  lockVersion: "SELECT version FROM millrace.mapping_version FOR UPDATE",
  nextVersion: "UPDATE millrace.mapping_version SET version = version + 1 RETURNING version",
  announce:
    "INSERT INTO millrace.mapping_process AS process (process_id, applied_version, beat) VALUES ($1, $2, 1) " +
    "ON CONFLICT (process_id) DO UPDATE SET applied_version = excluded.applied_version, beat = process.beat + 1",
  processes: "SELECT process_id, applied_version, beat FROM millrace.mapping_process",
  forget: "DELETE FROM millrace.mapping_process WHERE process_id = $1",
} as const;
