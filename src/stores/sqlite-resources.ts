import type { DatabaseSync } from "node:sqlite";
import type { NewResourceRow, ResourceRow, ResourceStore } from "../ports/resource-store.ts";
import type { LiveFile } from "../sqlite/live-file.ts";
import { changedRows, inTransaction } from "../sqlite/transaction.ts";
import { fileWasReplaced, openProgressFile, storeError } from "./progress-database.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";

/**
 * Keeps the control plane's rows in the SQLite file that also keeps progress. What becomes of it when that file is
 * removed: see `openSqliteStore`.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`.
 */
export async function openSqliteResourceStore(
  path: string,
  options: SqliteStoreOptions = {},
): Promise<ResourceStore> {
  return new SqliteResourceStore(path, await openProgressFile(path, prepareStatements, options.clock));
}

type Statements = ReturnType<typeof prepareStatements>;

class SqliteResourceStore implements ResourceStore {
  readonly #path: string;
  readonly #file: LiveFile<Statements>;
  #toldGeneration = 0;

  constructor(path: string, file: LiveFile<Statements>) {
    this.#path = path;
    this.#file = file;
  }

  async list(kinds?: readonly string[]) {
    const wanted = kinds === undefined ? null : JSON.stringify(kinds);
    const claims = new Map<string, string[]>();
    const rows = await this.#read((sql) => {
      claims.clear();
      for (const { uid, claim } of sql.claimsOfKinds.all(wanted, wanted)) {
        claims.set(String(uid), [...(claims.get(String(uid)) ?? []), String(claim)]);
      }
      return sql.list.all(wanted, wanted);
    });
    return rows.map((row) => rowOf(row, claims.get(String(row["uid"])) ?? []));
  }

  async get(uid: string) {
    return await this.#read((sql) => {
      const row = sql.get.get(uid);
      return row === undefined ? undefined : rowOf(row, claimsOf(sql, uid));
    });
  }

  async insert(row: NewResourceRow) {
    return await this.#write((sql, next) => {
      if (sql.get.get(row.uid) !== undefined) return { kind: "conflict", uid: row.uid } as const;
      const conflict = conflictOf(sql, row);
      if (conflict !== undefined) return conflict;
      const version = next();
      sql.insert.run(row.uid, row.kind, row.name, version, row.document);
      for (const claim of new Set(row.claims)) sql.claim.run(claim, row.uid);
      return { kind: "written", version } as const;
    });
  }

  async replace(row: NewResourceRow, seenVersion: number) {
    return await this.#write((sql, next) => {
      const before = sql.get.get(row.uid);
      if (before?.["version"] !== seenVersion || before["kind"] !== row.kind)
        return { kind: "stale" } as const;
      const conflict = conflictOf(sql, row);
      if (conflict !== undefined) return conflict;
      const version = next();
      sql.replace.run(row.name, version, row.document, row.uid);
      sql.freeClaims.run(row.uid);
      for (const claim of new Set(row.claims)) sql.claim.run(claim, row.uid);
      return { kind: "written", version } as const;
    });
  }

  async remove(uid: string, seenVersion: number) {
    return await this.#write((sql, next) => {
      if (sql.get.get(uid)?.["version"] !== seenVersion) return { kind: "stale" } as const;
      next();
      sql.freeClaims.run(uid);
      sql.remove.run(uid);
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

function conflictOf(sql: Statements, { uid, kind, name, claims }: NewResourceRow) {
  const holders = [sql.namesake.get(kind, name), ...claims.map((claim) => sql.holder.get(claim))];
  const other = holders.find((holder) => holder !== undefined && holder["uid"] !== uid);
  return other === undefined ? undefined : ({ kind: "conflict", uid: String(other["uid"]) } as const);
}

function claimsOf(sql: Statements, uid: string): string[] {
  return sql.claims.all(uid).map(({ claim }) => String(claim));
}

function rowOf(row: Record<string, unknown>, claims: readonly string[]): ResourceRow {
  return {
    uid: String(row["uid"]),
    kind: String(row["kind"]),
    name: String(row["name"]),
    claims,
    document: String(row["document"]),
    version: Number(row["version"]),
  };
}

const COLUMNS = "uid, kind, name, version, document";
/** The kinds as a JSON list, twice; null: all. */
const OF_KINDS = "(? IS NULL OR kind IN (SELECT value FROM json_each(?)))";

function prepareStatements(database: DatabaseSync) {
  return {
    list: database.prepare(`SELECT ${COLUMNS} FROM resource WHERE ${OF_KINDS}`),
    get: database.prepare(`SELECT ${COLUMNS} FROM resource WHERE uid = ?`),
    namesake: database.prepare("SELECT uid FROM resource WHERE kind = ? AND name = ?"),
    insert: database.prepare(`INSERT INTO resource (${COLUMNS}) VALUES (?, ?, ?, ?, ?)`),
    replace: database.prepare("UPDATE resource SET name = ?, version = ?, document = ? WHERE uid = ?"),
    remove: database.prepare("DELETE FROM resource WHERE uid = ?"),
    claimsOfKinds: database.prepare(
      `SELECT resource_claim.uid, claim FROM resource_claim JOIN resource USING (uid) WHERE ${OF_KINDS}`,
    ),
    claims: database.prepare("SELECT claim FROM resource_claim WHERE uid = ?"),
    holder: database.prepare("SELECT uid FROM resource_claim WHERE claim = ?"),
    claim: database.prepare("INSERT INTO resource_claim (claim, uid) VALUES (?, ?)"),
    freeClaims: database.prepare("DELETE FROM resource_claim WHERE uid = ?"),
    version: database.prepare("SELECT version FROM resource_version"),
    nextVersion: changedRows(database, "UPDATE resource_version SET version = version + 1 RETURNING version"),
    announce: database.prepare(
      "INSERT INTO process (process_id, applied_version, beat) VALUES (?, ?, 1) " +
        "ON CONFLICT (process_id) DO UPDATE SET applied_version = excluded.applied_version, beat = beat + 1",
    ),
    processes: database.prepare("SELECT process_id, applied_version, beat FROM process"),
    forget: database.prepare("DELETE FROM process WHERE process_id = ?"),
  };
}
