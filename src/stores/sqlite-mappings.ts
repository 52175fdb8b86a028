import type { DatabaseSync } from "node:sqlite";
import type { MappingRow, MappingStore, NewMappingRow } from "../ports/mapping-store.ts";
import type { LiveFile } from "../sqlite/live-file.ts";
import { changedRows, inTransaction } from "../sqlite/transaction.ts";
import { fileWasReplaced, openProgressFile, storeError } from "./progress-database.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";

/**
 * Keeps the control plane's rows in the SQLite file that also keeps progress. What becomes of it when that file is
 * removed: see `openSqliteStore`.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`.
 */
export async function openSqliteMappingStore(
  path: string,
  options: SqliteStoreOptions = {},
): Promise<MappingStore> {
  return new SqliteMappingStore(path, await openProgressFile(path, prepareStatements, options.clock));
}

type Statements = ReturnType<typeof prepareStatements>;

class SqliteMappingStore implements MappingStore {
  readonly #path: string;
  readonly #file: LiveFile<Statements>;
  #toldGeneration = 0;

  constructor(path: string, file: LiveFile<Statements>) {
    this.#path = path;
    this.#file = file;
  }

  async list() {
    const claims = new Map<string, string[]>();
    const rows = await this.#read((sql) => {
      claims.clear();
      for (const { mapping_uuid, claim } of sql.allClaims.all()) {
        const uuid = String(mapping_uuid);
        claims.set(uuid, [...(claims.get(uuid) ?? []), String(claim)]);
      }
      return sql.list.all();
    });
    return rows.map((row) => rowOf(row, claims.get(String(row["uuid"])) ?? []));
  }

  async get(uuid: string) {
    return await this.#read((sql) => {
      const row = sql.get.get(uuid);
      return row === undefined ? undefined : rowOf(row, claimsOf(sql, uuid));
    });
  }

  async insert(row: NewMappingRow) {
    return await this.#write((sql, next) => {
      if (sql.get.get(row.uuid) !== undefined) return { kind: "conflict", uuid: row.uuid } as const;
      const conflict = conflictOf(sql, row);
      if (conflict !== undefined) return conflict;
      const version = next();
      sql.insert.run(row.uuid, version, row.document);
      for (const claim of new Set(row.claims)) sql.claim.run(claim, row.uuid);
      return { kind: "written", version } as const;
    });
  }

  async replace(row: NewMappingRow, seenVersion: number) {
    return await this.#write((sql, next) => {
      if (sql.get.get(row.uuid)?.["version"] !== seenVersion) return { kind: "stale" } as const;
      const conflict = conflictOf(sql, row);
      if (conflict !== undefined) return conflict;
      const version = next();
      sql.replace.run(version, row.document, row.uuid);
      sql.freeClaims.run(row.uuid);
      for (const claim of new Set(row.claims)) sql.claim.run(claim, row.uuid);
      return { kind: "written", version } as const;
    });
  }

  async remove(uuid: string, seenVersion: number) {
    return await this.#write((sql, next) => {
      if (sql.get.get(uuid)?.["version"] !== seenVersion) return { kind: "stale" } as const;
      next();
      sql.freeClaims.run(uuid);
      sql.remove.run(uuid);
      return { kind: "removed" } as const;
    });
  }

  async newestVersion() {
    return await this.#read(({ version }) => {
      const { generation } = this.#file;
      const isNews = generation !== this.#toldGeneration;
      this.#toldGeneration = generation;
      if (isNews) throw fileWasReplaced(this.#path);
      return Number(version.get()?.["version"] ?? 0);
    });
  }

  async announce(processId: string, appliedVersion: number) {
    await this.#guard(this.#file.write((sql) => sql.announce.run(processId, appliedVersion)));
  }

  async processes() {
    const rows = await this.#read((sql) => sql.processes.all());
    return rows.map((row) => ({
      processId: String(row["process_id"]),
      appliedVersion: Number(row["applied_version"]),
      beat: Number(row["beat"]),
    }));
  }

  async forget(processId: string) {
    await this.#guard(this.#file.write((sql) => sql.forget.run(processId)));
  }

  async close() {
    this.#file.close();
  }

  /** One view of the file: rows and claims of one moment. */
  #read<Result>(work: (sql: Statements) => Result): Promise<Result> {
    return this.#guard(
      this.#file.read((sql, database) => inTransaction(database, "DEFERRED", () => work(sql))),
    );
  }

  /** All of `change` takes effect or none; `next` gives the version that it writes. */
  #write<Result>(change: (sql: Statements, next: () => number) => Result): Promise<Result> {
    return this.#guard(
      this.#file.write((sql, database) =>
        inTransaction(database, "IMMEDIATE", () =>
          change(sql, () => Number(sql.nextVersion()[0]?.["version"])),
        ),
      ),
    );
  }

  async #guard<Result>(result: Promise<Result>): Promise<Result> {
    try {
      return await result;
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
}

function conflictOf(sql: Statements, { uuid, claims }: NewMappingRow) {
  for (const claim of claims) {
    const holder = sql.holder.get(claim)?.["mapping_uuid"];
    if (holder !== undefined && holder !== uuid) return { kind: "conflict", uuid: String(holder) } as const;
  }
  return undefined;
}

function claimsOf(sql: Statements, uuid: string): string[] {
  return sql.claims.all(uuid).map(({ claim }) => String(claim));
}

function rowOf(row: Record<string, unknown>, claims: readonly string[]): MappingRow {
  return {
    uuid: String(row["uuid"]),
    claims,
    document: String(row["document"]),
    version: Number(row["version"]),
  };
}

function prepareStatements(database: DatabaseSync) {
  return {
    list: database.prepare("SELECT uuid, version, document FROM mapping"),
    get: database.prepare("SELECT uuid, version, document FROM mapping WHERE uuid = ?"),
    insert: database.prepare("INSERT INTO mapping (uuid, version, document) VALUES (?, ?, ?)"),
    replace: database.prepare("UPDATE mapping SET version = ?, document = ? WHERE uuid = ?"),
    remove: database.prepare("DELETE FROM mapping WHERE uuid = ?"),
    allClaims: database.prepare("SELECT mapping_uuid, claim FROM mapping_claim"),
    claims: database.prepare("SELECT claim FROM mapping_claim WHERE mapping_uuid = ?"),
    holder: database.prepare("SELECT mapping_uuid FROM mapping_claim WHERE claim = ?"),
    claim: database.prepare("INSERT INTO mapping_claim (claim, mapping_uuid) VALUES (?, ?)"),
    freeClaims: database.prepare("DELETE FROM mapping_claim WHERE mapping_uuid = ?"),
    version: database.prepare("SELECT version FROM mapping_version"),
    nextVersion: changedRows(database, "UPDATE mapping_version SET version = version + 1 RETURNING version"),
    announce: database.prepare(
      "INSERT INTO mapping_process (process_id, applied_version, beat) VALUES (?, ?, 1) " +
        "ON CONFLICT (process_id) DO UPDATE SET applied_version = excluded.applied_version, beat = beat + 1",
    ),
    processes: database.prepare("SELECT process_id, applied_version, beat FROM mapping_process"),
    forget: database.prepare("DELETE FROM mapping_process WHERE process_id = ?"),
  };
}
