import { MillraceError } from "../model/errors.ts";
import type { NewResourceRow, ResourceRow, ResourceStore, RowConflict } from "../ports/resource-store.ts";
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
export async function openPostgresResourceStore(
  url: string,
  options: { readonly limits?: PostgresLimits; readonly environment?: Environment } = {},
): Promise<ResourceStore> {
  const { limits = { ...POSTGRES_LIMITS, connections: CONNECTIONS }, environment = process.env } = options;
  const settings = readPostgresSettings(url, environment);
  return new PostgresResourceStore(await PostgresDatabase.open(settings, limits));
}

class PostgresResourceStore implements ResourceStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async list(kinds?: readonly string[]) {
    const { rows } = await this.#database.query(SQL.list, [kinds ?? null]);
    return rows.map((row) => this.#read(row));
  }

  async get(uid: string) {
    const { rows } = await this.#database.query(SQL.get, [uid]);
    return rows[0] === undefined ? undefined : this.#read(rows[0]);
  }

  async insert(row: NewResourceRow) {
    return await this.#write(async (query, next) => {
      const { rows } = await query(SQL.get, [row.uid]);
      if (rows.length > 0) return { kind: "conflict", uid: row.uid } as const;
      return (await conflictOf(query, row)) ?? (await put(query, row, await next(), SQL.insert));
    });
  }

  async replace(row: NewResourceRow, seenVersion: number) {
    return await this.#write(async (query, next) => {
      const { rows } = await query(SQL.at, [row.uid, seenVersion, row.kind]);
      if (rows.length === 0) return { kind: "stale" } as const;
      const conflict = await conflictOf(query, row);
      if (conflict !== undefined) return conflict;
      await query(SQL.freeClaims, [row.uid]);
      return await put(query, row, await next(), SQL.replace);
    });
  }

  async remove(uid: string, seenVersion: number) {
    return await this.#write(async (query, next) => {
      if ((await query(SQL.remove, [uid, seenVersion])).changes === 0) return { kind: "stale" } as const;
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
    throw this.#corrupt("has no version of its resources", "table `millrace.resource_version`");
  }

  #read(row: Readonly<Record<string, unknown>>): ResourceRow {
    const [uid, kind, name] = [String(row["uid"]), String(row["kind"]), String(row["name"])];
    const claims = readStrings(String(row["claims"]));
    if (claims === undefined)
      throw this.#corrupt(`holds a ${kind} ${name} that cannot be read`, "row of `millrace.resource`");
    return { uid, kind, name, claims, document: String(row["document"]), version: Number(row["version"]) };
  }

  #corrupt(what: string, part: string): MillraceError {
    return new MillraceError(
      "ERR_MILLRACE_STORE_CORRUPT",
      `The store ${this.#database.place} ${what}. Stop millrace and bring back a copy of that ${part}.`,
    );
  }
}

async function conflictOf(query: RunQuery, row: NewResourceRow): Promise<RowConflict | undefined> {
  const { rows } = await query(SQL.holder, [row.uid, row.kind, row.name, digestsOf(row)]);
  return rows[0] === undefined ? undefined : { kind: "conflict", uid: String(rows[0]["uid"]) };
}

async function put(query: RunQuery, row: NewResourceRow, version: number, sql: string) {
  const { uid, kind, name, document, claims } = row;
  await query(sql, [uid, kind, name, version, JSON.stringify([...new Set(claims)]), document]);
  await query(SQL.claim, [digestsOf(row), row.uid]);
  return { kind: "written", version } as const;
}

function digestsOf({ claims }: NewResourceRow): readonly string[] {
  return [...new Set(claims)].map(claimDigest);
}

const COLUMNS = "uid, kind, name, version, claims, document";

const SQL = {
  list: `SELECT ${COLUMNS} FROM millrace.resource WHERE $1::text[] IS NULL OR kind = ANY ($1::text[])`,
  get: `SELECT ${COLUMNS} FROM millrace.resource WHERE uid = $1`,
  at: "SELECT 1 FROM millrace.resource WHERE uid = $1 AND version = $2 AND kind = $3",
  insert: `INSERT INTO millrace.resource (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)`,
  replace:
    "UPDATE millrace.resource SET name = $3, version = $4, claims = $5, document = $6 WHERE uid = $1 AND kind = $2",
  /** Its claims go with it. */
  remove: "DELETE FROM millrace.resource WHERE uid = $1 AND version = $2",
  holder:
    "(SELECT uid FROM millrace.resource WHERE kind = $2 AND name = $3 AND uid <> $1) UNION ALL " +
    "(SELECT uid FROM millrace.resource_claim WHERE digest = ANY ($4::text[]) AND uid <> $1) LIMIT 1",
  claim: "INSERT INTO millrace.resource_claim (digest, uid) SELECT unnest($1::text[]), $2::text",
  freeClaims: "DELETE FROM millrace.resource_claim WHERE uid = $1",
  version: "SELECT version FROM millrace.resource_version",
  lockVersion: "SELECT version FROM millrace.resource_version FOR UPDATE",
  nextVersion: "UPDATE millrace.resource_version SET version = version + 1 RETURNING version",
  announce:
    "INSERT INTO millrace.process AS process (process_id, applied_version, beat) VALUES ($1, $2, 1) " +
    "ON CONFLICT (process_id) DO UPDATE SET applied_version = excluded.applied_version, beat = process.beat + 1",
  processes: "SELECT process_id, applied_version, beat FROM millrace.process",
  forget: "DELETE FROM millrace.process WHERE process_id = $1",
} as const;
