import type { ParkingStore } from "../ports/parking-store.ts";
import type { ParkingWords } from "./parking-database.ts";
import { writeKey } from "./parking-rows.ts";
import { parkingStatements } from "./parking-statements.ts";
import { SqlParkingStore } from "./sql-parking.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";
import { SqliteTransactions } from "./sqlite-transactions.ts";

/**
 * Keeps redrives and what is parked for them in the SQLite file that also keeps progress.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`.
 */
export async function openSqliteParkingStore(
  path: string,
  options: SqliteStoreOptions = {},
): Promise<ParkingStore> {
  return new SqlParkingStore(Object.assign(await SqliteTransactions.open(path, options), WORDS));
}

const INSERT =
  "INSERT INTO parked_entry (kind, seq, queue, is_keyless, id, failure_id, item_id, shard_id, position, key, " +
  "arrival_ms, element, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) " +
  // plant: what-is-loaded-twice-waits-again-in-sqlite
  "ON CONFLICT (kind, id) DO NOTHING";

const WORDS: ParkingWords = {
  statements: parkingStatements({
    schema: "",
    forUpdate: "",
    forShare: "",
    isIn: (column, parameter) => `${column} IN (SELECT value FROM json_each(${parameter}))`,
  }),
  *insertItems(kind, items, lastSeq) {
    let seq = lastSeq;
    for (const item of items) {
      const { queue, isKeyless, id, failureId, itemId, shardId, position, key, arrivalMs, element } = item;
      seq += 1;
      yield {
        sql: INSERT,
        values: [
          ...[kind, seq, queue, isKeyless ? 1 : 0, id, failureId, itemId, shardId, position, writeKey(key)],
          ...[arrivalMs ?? null, element ?? null, element === undefined ? "gone" : "waiting"],
        ],
      };
    }
  },
};
