import type { ParkedKeyStore } from "../ports/parked-keys.ts";
import { parkedKeyStatements } from "./parked-key-statements.ts";
import type { EntryOfKey, ParkedKeyWords, ParkingValue } from "./parking-database.ts";
import { fenceStatements } from "./parking-statements.ts";
import { elementChunks } from "./postgres-chunks.ts";
import { type PostgresParkingOptions, PostgresTransactions } from "./postgres-transactions.ts";
import { SqlParkedKeys } from "./sql-parked-keys.ts";

/**
 * Keeps parked keys in the schema that also keeps progress.
 * @throws ERR_MILLRACE_CONFIG, ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openPostgresStore`.
 */
export async function openPostgresParkedKeys(
  url: string,
  options: PostgresParkingOptions = {},
): Promise<ParkedKeyStore> {
  return new SqlParkedKeys(Object.assign(await PostgresTransactions.open(url, options), WORDS));
}

const DIALECT = {
  schema: "millrace.",
  forUpdate: " FOR UPDATE",
  forShare: " FOR SHARE",
  isIn: (column: string, parameter: string) =>
    `${column} = ANY (ARRAY(SELECT json_array_elements_text(${parameter}::json)))`,
} as const;

const INSERT =
  "INSERT INTO millrace.parked_record (mapping, id, seq, shard_id, position, item_id, arrival_ms, element, trace) " +
  "SELECT $1, entry.* FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::float8[], " +
  "$8::bytea[], $9::text[]) AS entry";

const WORDS: ParkedKeyWords = {
  statements: { ...parkedKeyStatements(DIALECT), ...fenceStatements(DIALECT) },
  *insertEntries(mapping, entries) {
    for (const chunk of elementChunks(entries))
      yield { sql: INSERT, values: [mapping], lists: columnsOf(chunk) };
  },
};

function columnsOf(entries: readonly EntryOfKey[]): readonly (readonly ParkingValue[])[] {
  return [
    entries.map(({ id }) => id),
    entries.map(({ seq }) => seq),
    entries.map(({ shardId }) => shardId),
    entries.map(({ position }) => position),
    entries.map(({ itemId }) => itemId),
    entries.map(({ arrivalMs }) => arrivalMs ?? null),
    entries.map(({ element }) => element),
    entries.map(({ trace }) => trace ?? null),
  ];
}
