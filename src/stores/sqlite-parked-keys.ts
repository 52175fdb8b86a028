import type { ParkedKeyStore } from "../ports/parked-keys.ts";
import { parkedKeyStatements } from "./parked-key-statements.ts";
import type { ParkedKeyWords } from "./parking-database.ts";
import { fenceStatements } from "./parking-statements.ts";
import { SqlParkedKeys } from "./sql-parked-keys.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";
import { SqliteTransactions } from "./sqlite-transactions.ts";

/**
 * Keeps parked keys in the SQLite file that also keeps progress.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`.
 */
export async function openSqliteParkedKeys(
  path: string,
  options: SqliteStoreOptions = {},
): Promise<ParkedKeyStore> {
  return new SqlParkedKeys(Object.assign(await SqliteTransactions.open(path, options), WORDS));
}

const DIALECT = {
  schema: "",
  forUpdate: "",
  forShare: "",
  isIn: (column: string, parameter: string) => `${column} IN (SELECT value FROM json_each(${parameter}))`,
} as const;

const INSERT =
  "INSERT INTO parked_record (mapping, id, seq, shard_id, position, item_id, arrival_ms, element, trace) " +
  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const WORDS: ParkedKeyWords = {
  statements: { ...parkedKeyStatements(DIALECT), ...fenceStatements(DIALECT) },
  *insertEntries(mapping, entries) {
    for (const { id, seq, shardId, position, itemId, arrivalMs, element, trace } of entries)
      yield {
        sql: INSERT,
        values: [
          ...[mapping, id, seq, shardId, position, itemId],
          ...[arrivalMs ?? null, element, trace ?? null],
        ],
      };
  },
};
