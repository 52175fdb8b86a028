import { Pool, type PoolConfig, type QueryResultRow } from "pg";
import { Slots } from "../lib/slots.ts";
import { newerFormat, notAStore, postgresError, refusesTls, sqlState } from "./postgres-errors.ts";
import { MIGRATIONS } from "./postgres-migrations.ts";
import type { PostgresSettings } from "./postgres-settings.ts";

export interface PostgresLimits {
  readonly connectMs: number;
  /** After which the server gives a statement up. */
  readonly statementMs: number;
  /** After which no answer is waited for. Longer than `statementMs`, so that it means a lost server or network. */
  readonly answerMs: number;
  readonly connections: number;
  /** How long a call waits for its turn while others use all connections of a server that works, only slowly. */
  readonly turnMs: number;
}

/** To connect and to be answered take less than a lease's ten seconds, so that one lost answer costs no lease. */
export const POSTGRES_LIMITS: PostgresLimits = {
  connectMs: 3_000,
  statementMs: 4_000,
  answerMs: 5_000,
  connections: 10,
  turnMs: 10_000,
};
const CALLS = "calls";

const IDLE_MS = 30_000;
/** After which a connection is made anew: it follows a name that moved to another server. */
const CONNECTION_SECONDS_MAX = 900;
/** "MRpg" in ASCII: of millrace, among the advisory locks of a database. */
export const LOCK_SPACE = 0x4d527067;

const VERSIONS_TABLE = "CREATE TABLE millrace.schema_version (version integer PRIMARY KEY)";
const DUPLICATE_TABLE = "42P07";
const UNDEFINED_COLUMN = "42703";
const NO_TABLE_OR_SCHEMA: readonly (string | undefined)[] = ["42P01", "3F000"];

export interface Rows<Row> {
  readonly rows: readonly Row[];
  /** That a statement changed. */
  readonly changes: number;
}

export type RunQuery = <Row extends QueryResultRow>(
  sql: string,
  values?: readonly unknown[],
) => Promise<Rows<Row>>;

/** A database with millrace's schema, and a bounded pool of connections to it. What fails is in the error catalogue. */
export class PostgresDatabase {
  readonly place: string;
  readonly #pool: Pool;
  // The pool's own line takes the wait for a turn for a server that cannot be reached.
  readonly #turns: Slots;
  readonly #turnMs: number;
  #ended: Promise<void> | undefined;

  private constructor(place: string, config: PoolConfig, limits: PostgresLimits) {
    this.place = place;
    this.#turns = new Slots(limits.connections);
    this.#turnMs = limits.turnMs;
    this.#pool = new Pool(config);
    // A connection that breaks fails the call that uses it; of an idle one the pool makes another. Without listeners
    // either would end the process.
    this.#pool.on("error", () => undefined);
    this.#pool.on("connect", (client) => client.on("error", () => undefined));
  }

  /**
   * Connects, and makes the schema or brings it to this version. Any number of processes may do so at once.
   * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT
   */
  static async open(settings: PostgresSettings, limits: PostgresLimits): Promise<PostgresDatabase> {
    const { tls, place } = settings;
    const ssl = tls.mode === "plain" ? false : tls.options;
    const encrypted = new PostgresDatabase(place, poolConfig(settings, ssl, limits), limits);
    try {
      await encrypted.#migrate();
      return encrypted;
    } catch (error) {
      await encrypted.close();
      if (tls.mode !== "preferred" || !(error instanceof Error) || !refusesTls(error.cause)) throw error;
    }
    return await PostgresDatabase.open({ ...settings, tls: { mode: "plain" } }, limits);
  }

  /** One statement, which takes effect wholly or not at all. */
  query: RunQuery = async <Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) => {
    try {
      return await this.#inTurn(async () => {
        const { rows, rowCount } = await this.#pool.query<Row>(sql, [...values]);
        return { rows, changes: rowCount ?? 0 };
      });
    } catch (error) {
      throw postgresError(this.place, error);
    }
  };

  /** All that `work` does takes effect, or none. Each statement sees what others have committed before it. */
  async transaction<Result>(work: (query: RunQuery) => Promise<Result>): Promise<Result> {
    try {
      return await this.#inTurn(() => this.#transact(work));
    } catch (error) {
      throw postgresError(this.place, error);
    }
  }

  async #transact<Result>(work: (query: RunQuery) => Promise<Result>): Promise<Result> {
    let broken: Error | undefined;
    const client = await this.#pool.connect();
    try {
      // Not as the server's default may be: a snapshot from before a lock would not show what the lock protects.
      await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
      const result = await work(
        async <Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) => {
          const { rows, rowCount } = await client.query<Row>(sql, [...values]);
          return { rows, changes: rowCount ?? 0 };
        },
      );
      const { command } = await client.query("COMMIT");
      // A transaction in which something failed is rolled back by its COMMIT, and that is no error to the server.
      // plant: postgresqls-commit-is-believed-though-it-rolled-back
      if (command !== "COMMIT") throw new Error(`the transaction ended with ${command}`);
      return result;
    } catch (error) {
      broken = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      // A connection whose transaction failed is closed, by which the server rolls it back.
      client.release(broken);
    }
  }

  async #inTurn<Result>(call: () => Promise<Result>): Promise<Result> {
    const turn = this.#turns.take(CALLS);
    if (turn !== undefined) {
      const patience = setTimeout(() => turn.leave(), this.#turnMs);
      const isGranted = await turn.granted;
      clearTimeout(patience);
      if (!isGranted) throw new Error(this.#whyNoTurn());
    }
    try {
      return await call();
    } finally {
      this.#turns.give(CALLS);
    }
  }

  #whyNoTurn(): string {
    if (this.#ended !== undefined) return "it was closed";
    const { running, waiting } = this.#turns.standing(CALLS);
    return `no turn came in ${this.#turnMs} ms: ${running} calls ran and ${waiting} more waited (turn timeout)`;
  }

  close(): Promise<void> {
    this.#ended ??= this.#pool.end();
    this.#turns.dismiss(CALLS);
    return this.#ended;
  }

  async #migrate(): Promise<void> {
    if ((await this.#version()) === MIGRATIONS.length) return;
    try {
      await this.transaction(async (query) => {
        await query("SELECT pg_advisory_xact_lock($1)", [LOCK_SPACE]);
        const version = await prepareVersions(query);
        this.#checkVersion(version);
        for (const [index, sql] of MIGRATIONS.entries()) {
          if (index < version) continue;
          await query(sql);
          await query("INSERT INTO millrace.schema_version (version) VALUES ($1)", [index + 1]);
        }
      });
    } catch (error) {
      const state = sqlState(error instanceof Error ? error.cause : undefined);
      if (state === DUPLICATE_TABLE || state === UNDEFINED_COLUMN) throw notAStore(this.place, error);
      throw error;
    }
  }

  /** Outside of a lock: of a schema that is up to date a user needs no more than to read and write its rows. */
  async #version(): Promise<number> {
    try {
      const { rows } = await this.query<VersionRow>(READ_VERSION);
      const version = versionOf(rows);
      this.#checkVersion(version);
      return version;
    } catch (error) {
      const state = sqlState(error instanceof Error ? error.cause : undefined);
      if (NO_TABLE_OR_SCHEMA.includes(state)) return 0;
      throw state === UNDEFINED_COLUMN ? notAStore(this.place, error) : error;
    }
  }

  #checkVersion(version: number): void {
    if (version > MIGRATIONS.length) throw newerFormat(this.place, version, MIGRATIONS.length);
  }
}

interface VersionRow {
  readonly version: number | null;
}

const READ_VERSION = "SELECT max(version) AS version FROM millrace.schema_version";

function versionOf(rows: readonly VersionRow[]): number {
  return rows[0]?.version ?? 0;
}

/** Asks before it creates: `IF NOT EXISTS` needs the right to create also where there is nothing to do. */
async function prepareVersions(query: RunQuery): Promise<number> {
  const { rows } = await query<{ schema: unknown; versions: unknown }>(
    "SELECT to_regnamespace('millrace') AS schema, to_regclass('millrace.schema_version') AS versions",
  );
  if (rows[0]?.schema === null) await query("CREATE SCHEMA millrace");
  if (rows[0]?.versions === null) await query(VERSIONS_TABLE);
  return versionOf((await query<VersionRow>(READ_VERSION)).rows);
}

function poolConfig(
  settings: PostgresSettings,
  ssl: Exclude<PoolConfig["ssl"], undefined>,
  limits: PostgresLimits,
): PoolConfig {
  const { host, port, user, database, password, applicationName } = settings;
  return {
    host,
    port,
    user,
    database,
    password,
    ssl,
    ...(applicationName === undefined ? {} : { application_name: applicationName }),
    fallback_application_name: "millrace",
    max: limits.connections,
    connectionTimeoutMillis: limits.connectMs,
    statement_timeout: limits.statementMs,
    idle_in_transaction_session_timeout: limits.statementMs,
    query_timeout: limits.answerMs,
    keepAlive: true,
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: CONNECTION_SECONDS_MAX,
  };
}
