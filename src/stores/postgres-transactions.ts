import type { ParkingTransactions, ParkingWork } from "./parking-database.ts";
import {
  POSTGRES_LIMITS,
  PostgresDatabase,
  type PostgresLimits,
  type RunQuery,
} from "./postgres-database.ts";
import { readPostgresSettings } from "./postgres-settings.ts";
import type { Environment } from "./postgres-url.ts";

export interface PostgresParkingOptions {
  readonly limits?: PostgresLimits;
  readonly environment?: Environment;
}

/** Few, of its own: what is parked is heard also while checkpoints take all of the other pool. */
const CONNECTIONS = 2;

/** Transactions of what is parked in the schema that also keeps progress. */
export class PostgresTransactions implements ParkingTransactions {
  readonly #database: PostgresDatabase;

  private constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  /** @throws ERR_MILLRACE_CONFIG, ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openPostgresStore`. */
  static async open(url: string, options: PostgresParkingOptions): Promise<PostgresTransactions> {
    const { limits = { ...POSTGRES_LIMITS, connections: CONNECTIONS }, environment = process.env } = options;
    const settings = readPostgresSettings(url, environment);
    return new PostgresTransactions(await PostgresDatabase.open(settings, limits));
  }

  /** Several statements of one moment: what stands is not changed between them. */
  read<T>(work: () => ParkingWork<T>): Promise<T> {
    return this.write(work);
  }

  write<T>(work: () => ParkingWork<T>): Promise<T> {
    return this.#database.transaction((query) => run(query, work()));
  }

  close() {
    return this.#database.close();
  }
}

async function run<T>(query: RunQuery, work: ParkingWork<T>): Promise<T> {
  let step = work.next([]);
  while (step.done !== true) {
    const { sql, values, lists = [] } = step.value;
    step = work.next((await query(sql, [...values, ...lists])).rows);
  }
  return step.value;
}
