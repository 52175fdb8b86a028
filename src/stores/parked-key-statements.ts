import type { ParkingDialect } from "./parking-statements.ts";

export type ParkedKeyStatements = ReturnType<typeof parkedKeyStatements>;

const KEY = "id, key, state, version, tail_version, records, bytes, last, cause, parked_ms";
const TOTALS = "keys, records, bytes, version";

/** Keys that stand aside, and their records; the drainer's fence is that of the mapping's redrives. */
export function parkedKeyStatements({
  schema,
  forUpdate,
  isIn,
}: Pick<ParkingDialect, "schema" | "forUpdate" | "isIn">) {
  const mapping = `${schema}parked_mapping`;
  const writer = `${schema}parked_writer`;
  const key = `${schema}parked_key`;
  const record = `${schema}parked_record`;
  const of = "WHERE mapping = $1";
  return {
    makeMapping:
      `INSERT INTO ${mapping} (mapping, keys, records, bytes, version, last_seq) ` +
      "VALUES ($1, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
    lockMapping: `SELECT ${TOTALS}, last_seq FROM ${mapping} ${of}${forUpdate}`,
    totals: `SELECT ${TOTALS} FROM ${mapping} ${of}`,
    keepTotals: `UPDATE ${mapping} SET keys = $2, records = $3, bytes = $4, version = $5, last_seq = $6 ${of}`,
    openWriter:
      `INSERT INTO ${writer} AS writer (mapping, shard_id, fence, attempt) VALUES ($1, $2, 1, 0) ` +
      "ON CONFLICT (mapping, shard_id) DO UPDATE SET fence = writer.fence + 1, attempt = 0 RETURNING fence",
    writes:
      `UPDATE ${writer} SET attempt = $4 ${of} AND shard_id = $2 ` +
      // plant: a-shard-that-was-taken-over-still-parks
      // plant: a-put-that-comes-late-still-takes-effect
      "AND fence = $3 AND attempt < $4 RETURNING attempt",
    allKeys: `SELECT ${KEY} FROM ${key} ${of} ORDER BY id`,
    listKeys: `SELECT ${KEY} FROM ${key} ${of} AND id > $2 ORDER BY id LIMIT $3`,
    getKeys: `SELECT ${KEY} FROM ${key} ${of} AND ${isIn("id", "$2")}`,
    getKey: `SELECT ${KEY} FROM ${key} ${of} AND id = $2`,
    makeKey: `INSERT INTO ${key} (mapping, ${KEY}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    changeKey:
      `UPDATE ${key} SET state = $3, version = $4, tail_version = $5, records = $6, bytes = $7, last = $8, ` +
      `cause = $9 ${of} AND id = $2`,
    removeKey: `DELETE FROM ${key} ${of} AND id = $2`,
    sizes: `SELECT seq, length(element) AS bytes FROM ${record} ${of} AND id = $2 ORDER BY seq LIMIT $3`,
    read:
      `SELECT seq, shard_id, position, item_id, arrival_ms, element, trace FROM ${record} ` +
      `${of} AND id = $2 AND seq <= $3 ORDER BY seq`,
    removeRecords: `DELETE FROM ${record} ${of} AND id = $2 AND seq <= $3 RETURNING length(element) AS bytes`,
    forget: [record, key, writer, mapping].map((table) => `DELETE FROM ${table} ${of}`),
  } as const;
}

/** Tables of parked keys, for one dialect's words. */
export function parkedKeyTables(words: {
  readonly schema: string;
  readonly text: string;
  readonly integer: string;
  readonly real: string;
  readonly bytes: string;
  readonly end: string;
}): string {
  const { schema, text, integer, real, bytes, end } = words;
  return `
    CREATE TABLE ${schema}parked_mapping (
      mapping ${text} PRIMARY KEY,
      keys ${integer} NOT NULL,
      records ${integer} NOT NULL,
      bytes ${integer} NOT NULL,
      version ${integer} NOT NULL,
      last_seq ${integer} NOT NULL
    )${end};
    CREATE TABLE ${schema}parked_writer (
      mapping ${text} NOT NULL,
      shard_id ${text} NOT NULL,
      fence ${integer} NOT NULL,
      attempt ${integer} NOT NULL,
      PRIMARY KEY (mapping, shard_id)
    )${end};
    CREATE TABLE ${schema}parked_key (
      mapping ${text} NOT NULL,
      id ${text} NOT NULL,
      key ${text} NOT NULL,
      state ${text} NOT NULL,
      version ${integer} NOT NULL,
      tail_version ${integer} NOT NULL,
      records ${integer} NOT NULL,
      bytes ${integer} NOT NULL,
      last ${text} NOT NULL,
      cause ${text} NOT NULL,
      parked_ms ${real} NOT NULL,
      PRIMARY KEY (mapping, id)
    )${end};
    CREATE TABLE ${schema}parked_record (
      mapping ${text} NOT NULL,
      id ${text} NOT NULL,
      seq ${integer} NOT NULL,
      shard_id ${text} NOT NULL,
      position ${text} NOT NULL,
      item_id ${text} NOT NULL,
      arrival_ms ${real},
      element ${bytes} NOT NULL,
      trace ${text},
      PRIMARY KEY (mapping, id, seq)
    )${end};
  `;
}
