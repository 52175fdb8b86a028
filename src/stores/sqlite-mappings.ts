import type { DatabaseSync } from "node:sqlite";
import type { MappingRow, MappingStore, NewMappingRow } from "../ports/mapping-store.ts";
import { inTransaction, openProgressDatabase, storeError } from "./progress-database.ts";

/**
 * Keeps the control plane's rows in the SQLite file that also keeps progress.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `createSqliteStore`.
 */
export function createSqliteMappingStore(path: string): MappingStore {
  return new SqliteMappingStore(path);
}

class SqliteMappingStore implements MappingStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(path: string) {
    this.#path = path;
    this.#database = openProgressDatabase(path);
    this.#sql = prepareStatements(this.#database);
  }

  async list() {
    return this.#guard(() => {
      const claims = new Map<string, string[]>();
      let rows: Record<string, unknown>[] = [];
      // One transaction: rows and claims of one moment.
      inTransaction(this.#database, () => {
        rows = this.#sql.list.all();
        for (const { mapping_uuid, claim } of this.#sql.allClaims.all()) {
          const uuid = String(mapping_uuid);
          claims.set(uuid, [...(claims.get(uuid) ?? []), String(claim)]);
        }
      });
      return rows.map((row) => rowOf(row, claims.get(String(row["uuid"])) ?? []));
    });
  }

  async get(uuid: string) {
    return this.#guard(() => {
      let found: MappingRow | undefined;
      inTransaction(this.#database, () => {
        const row = this.#sql.get.get(uuid);
        if (row !== undefined) found = rowOf(row, this.#claimsOf(uuid));
      });
      return found;
    });
  }

  async insert(row: NewMappingRow) {
    return this.#write((next) => {
      if (this.#sql.get.get(row.uuid) !== undefined) return { kind: "conflict", uuid: row.uuid } as const;
      const conflict = this.#conflict(row);
      if (conflict !== undefined) return conflict;
      const version = next();
      this.#sql.insert.run(row.uuid, version, row.document);
      for (const claim of new Set(row.claims)) this.#sql.claim.run(claim, row.uuid);
      return { kind: "written", version } as const;
    });
  }

  async replace(row: NewMappingRow, seenVersion: number) {
    return this.#write((next) => {
      if (this.#sql.get.get(row.uuid)?.["version"] !== seenVersion) return { kind: "stale" } as const;
      const conflict = this.#conflict(row);
      if (conflict !== undefined) return conflict;
      const version = next();
      this.#sql.replace.run(version, row.document, row.uuid);
      this.#sql.freeClaims.run(row.uuid);
      for (const claim of new Set(row.claims)) this.#sql.claim.run(claim, row.uuid);
      return { kind: "written", version } as const;
    });
  }

  async remove(uuid: string, seenVersion: number) {
    return this.#write((next) => {
      if (this.#sql.get.get(uuid)?.["version"] !== seenVersion) return { kind: "stale" } as const;
      next();
      this.#sql.freeClaims.run(uuid);
      this.#sql.remove.run(uuid);
      return { kind: "removed" } as const;
    });
  }

  async newestVersion() {
    return this.#guard(() => Number(this.#sql.version.get()?.["version"] ?? 0));
  }

  async announce(processId: string, appliedVersion: number) {
    this.#guard(() => this.#sql.announce.run(processId, appliedVersion));
  }

  async processes() {
    return this.#guard(() =>
      this.#sql.processes.all().map((row) => ({
        processId: String(row["process_id"]),
        appliedVersion: Number(row["applied_version"]),
        beat: Number(row["beat"]),
      })),
    );
  }

  async forget(processId: string) {
    this.#guard(() => this.#sql.forget.run(processId));
  }

  async close() {
    if (this.#database.isOpen) this.#database.close();
  }

  /** All of `change` takes effect or none; `next` gives the version that it writes. */
  #write<Result>(change: (next: () => number) => Result): Result {
    return this.#guard(() => {
      const results: Result[] = [];
      inTransaction(this.#database, () => {
        results.push(change(() => Number(this.#sql.nextVersion.get()?.["version"])));
      });
      const [result] = results;
      if (result === undefined) throw new Error("a transaction ended without its result");
      return result;
    });
  }

  #conflict({ uuid, claims }: NewMappingRow) {
    for (const claim of claims) {
      const holder = this.#sql.holder.get(claim)?.["mapping_uuid"];
      if (holder !== undefined && holder !== uuid) return { kind: "conflict", uuid: String(holder) } as const;
    }
    return undefined;
  }

  #claimsOf(uuid: string): string[] {
    return this.#sql.claims.all(uuid).map(({ claim }) => String(claim));
  }

  #guard<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
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
    nextVersion: database.prepare("UPDATE mapping_version SET version = version + 1 RETURNING version"),
    announce: database.prepare(
      "INSERT INTO mapping_process (process_id, applied_version, beat) VALUES (?, ?, 1) " +
        "ON CONFLICT (process_id) DO UPDATE SET applied_version = excluded.applied_version, beat = beat + 1",
    ),
    processes: database.prepare("SELECT process_id, applied_version, beat FROM mapping_process"),
    forget: database.prepare("DELETE FROM mapping_process WHERE process_id = ?"),
  };
}
