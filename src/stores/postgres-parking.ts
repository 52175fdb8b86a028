import type { ParkingStore, QueuedItem } from "../ports/parking-store.ts";
import type { ParkingDatabase, ParkingStatement, ParkingValue, ParkingWork } from "./parking-database.ts";
import { writeKey } from "./parking-rows.ts";
import { parkingStatements } from "./parking-statements.ts";
import {
  POSTGRES_LIMITS,
  PostgresDatabase,
  type PostgresLimits,
  type RunQuery,
} from "./postgres-database.ts";
import { readPostgresSettings } from "./postgres-settings.ts";
import type { Environment } from "./postgres-url.ts";
import { SqlParkingStore } from "./sql-parking.ts";

/** Few, of its own: redrives say little, and are heard also while checkpoints take all of the other pool. */
const CONNECTIONS = 2;

/**
 * Keeps redrives and what is parked for them in the schema that also keeps progress.
 * @throws ERR_MILLRACE_CONFIG, ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openPostgresStore`.
 */
export async function openPostgresParkingStore(
  url: string,
  options: { readonly limits?: PostgresLimits; readonly environment?: Environment } = {},
): Promise<ParkingStore> {
  const { limits = { ...POSTGRES_LIMITS, connections: CONNECTIONS }, environment = process.env } = options;
  const settings = readPostgresSettings(url, environment);
  return new SqlParkingStore(new PostgresParking(await PostgresDatabase.open(settings, limits)));
}

const STATEMENTS = parkingStatements({
  schema: "millrace.",
  forUpdate: " FOR UPDATE",
  forShare: " FOR SHARE",
  isIn: (column, parameter) =>
    `${column} = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(${parameter}::json)))`,
});

/** Bounds of one statement: items, and bytes of their elements. */
const INSERT_ITEMS_MAX = 500;
const INSERT_BYTES_MAX = 4 * 1024 * 1024;

const INSERT =
  "INSERT INTO millrace.parked_entry (kind, seq, queue, is_keyless, id, failure_id, item_id, shard_id, position, key, " +
  "arrival_ms, element, state) SELECT $1, item.* FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], " +
  "$6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::float8[], $12::bytea[], $13::text[]) AS item " +
  // plant: what-is-loaded-twice-waits-again-in-postgresql
  "ON CONFLICT (kind, id) DO NOTHING";

class PostgresParking implements ParkingDatabase {
  readonly statements = STATEMENTS;
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  /** Several statements of one moment: what stands is not changed between them. */
  read<T>(work: () => ParkingWork<T>): Promise<T> {
    return this.write(work);
  }

  write<T>(work: () => ParkingWork<T>): Promise<T> {
    return this.#database.transaction((query) => run(query, work()));
  }

  *insertItems(kind: string, items: readonly QueuedItem[], lastSeq: number): Iterable<ParkingStatement> {
    let seq = lastSeq;
    for (const chunk of chunksOf(items)) {
      const first = seq + 1;
      seq += chunk.length;
      yield { sql: INSERT, values: [kind], lists: columnsOf(chunk, first) };
    }
  }

  close() {
    return this.#database.close();
  }
}

function* chunksOf(items: readonly QueuedItem[]): Generator<readonly QueuedItem[]> {
  let chunk: QueuedItem[] = [];
  let bytes = 0;
  for (const item of items) {
    const length = item.element?.length ?? 0;
    if (chunk.length > 0 && (chunk.length === INSERT_ITEMS_MAX || bytes + length > INSERT_BYTES_MAX)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(item);
    bytes += length;
  }
  if (chunk.length > 0) yield chunk;
}

function columnsOf(items: readonly QueuedItem[], firstSeq: number): readonly (readonly ParkingValue[])[] {
  return [
    items.map((_, index) => firstSeq + index),
    items.map(({ queue }) => queue),
    items.map(({ isKeyless }) => (isKeyless ? 1 : 0)),
    items.map(({ id }) => id),
    items.map(({ failureId }) => failureId),
    items.map(({ itemId }) => itemId),
    items.map(({ shardId }) => shardId),
    items.map(({ position }) => position),
    items.map(({ key }) => writeKey(key)),
    items.map(({ arrivalMs }) => arrivalMs ?? null),
    items.map(({ element }) => element ?? null),
    items.map(({ element }) => (element === undefined ? "gone" : "waiting")),
  ];
}

async function run<T>(query: RunQuery, work: ParkingWork<T>): Promise<T> {
  let step = work.next([]);
  while (step.done !== true) {
    const { sql, values, lists = [] } = step.value;
    step = work.next((await query(sql, [...values, ...lists])).rows);
  }
  return step.value;
}
