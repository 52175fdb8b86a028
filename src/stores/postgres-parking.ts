import type { ParkingStore, QueuedItem } from "../ports/parking-store.ts";
import type { ParkingValue, ParkingWords } from "./parking-database.ts";
import { writeKey } from "./parking-rows.ts";
import { parkingStatements } from "./parking-statements.ts";
import { elementChunks } from "./postgres-chunks.ts";
import { type PostgresParkingOptions, PostgresTransactions } from "./postgres-transactions.ts";
import { SqlParkingStore } from "./sql-parking.ts";

/**
 * Keeps redrives and what is parked for them in the schema that also keeps progress.
 * @throws ERR_MILLRACE_CONFIG, ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openPostgresStore`.
 */
export async function openPostgresParkingStore(
  url: string,
  options: PostgresParkingOptions = {},
): Promise<ParkingStore> {
  return new SqlParkingStore(Object.assign(await PostgresTransactions.open(url, options), WORDS));
}

const INSERT =
  "INSERT INTO millrace.parked_entry (kind, seq, queue, is_keyless, id, failure_id, item_id, shard_id, position, key, " +
  "arrival_ms, element, state) SELECT $1, item.* FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], " +
  "$6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::float8[], $12::bytea[], $13::text[]) AS item " +
  // plant: what-is-loaded-twice-waits-again-in-postgresql
  "ON CONFLICT (kind, id) DO NOTHING";

const WORDS: ParkingWords = {
  statements: parkingStatements({
    schema: "millrace.",
    forUpdate: " FOR UPDATE",
    forShare: " FOR SHARE",
    isIn: (column, parameter) =>
      `${column} = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(${parameter}::json)))`,
  }),
  *insertItems(kind, items, lastSeq) {
    let seq = lastSeq;
    for (const chunk of elementChunks(items)) {
      const first = seq + 1;
      seq += chunk.length;
      yield { sql: INSERT, values: [kind], lists: columnsOf(chunk, first) };
    }
  },
};

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
