import type { CursorMove } from "../ports/async-queue.ts";

/** The time of a statement: an index can be asked by it, and all that a statement does is done at one time. */
const NOW = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint";

const ITEM = "millrace.async_item";
const CURSOR = "millrace.cursor";

/** Parameters 1 to 8. In order, so that two that put the same do not wait for each other. */
const COLUMNS = "id, kind, lane, qualifier, delay, state, bytes, body";
const NEW =
  "unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::bytea[]";

function insertFrom(source: string): string {
  return (
    `INSERT INTO ${ITEM} (id, kind, lane, qualifier, put_ms, visible_ms, receive_count, state, bytes, body) ` +
    `SELECT n.id, n.kind, n.lane, n.qualifier, ${NOW}, ${NOW} + n.delay, 0, n.state, n.bytes, n.body ` +
    `FROM ${source} ORDER BY n.id ON CONFLICT (id) DO NOTHING`
  );
}

const INSERT = insertFrom(`${NEW}) AS n (${COLUMNS})`);

/**
 * A hold lasts while nobody else can get the item: its receipt stands, and the item is hidden. The list of ids beside
 * the pairs has the server look them up one by one, whatever it knows of the table.
 */
function heldIn(first: number): string {
  const [ids, receipts] = [`$${first}::text[]`, `$${first + 1}::text[]`];
  return (
    `item.id = ANY (${ids}) AND (item.id, item.receipt) IN (SELECT * FROM unnest(${ids}, ${receipts})) ` +
    // plant: postgresql-settles-what-nobody-holds-any-more
    `AND item.visible_ms > ${NOW}`
  );
}

export type MoveKind = "first" | "next" | "forget" | "none";

export function moveOf({ from, to }: CursorMove): MoveKind {
  if (from === "") return to === "" ? "none" : "first";
  return to === "" ? "forget" : "next";
}

/** Parameters 9 to 11: the cursor's name, `from` and `to`. */
const MOVES: Readonly<Record<MoveKind, string>> = {
  first:
    `INSERT INTO ${CURSOR} (name, place) SELECT $9::text, $11::text WHERE $10::text = '' ` +
    "ON CONFLICT (name) DO NOTHING RETURNING name",
  // plant: a-tick-of-postgresql-is-put-wherever-its-cursor-stands
  next: `UPDATE ${CURSOR} SET place = $11 WHERE name = $9 AND place = $10 RETURNING name`,
  forget: `DELETE FROM ${CURSOR} WHERE name = $9 AND place = $10 AND $11::text = '' RETURNING name`,
  none: `SELECT 1 WHERE $10::text = $11::text AND NOT EXISTS (SELECT FROM ${CURSOR} WHERE name = $9)`,
};

/** The cursor and what is put are one statement: both take effect, or neither. */
function putBy(kind: MoveKind): string {
  const insert = insertFrom(`${NEW}) AS n (${COLUMNS}) WHERE EXISTS (SELECT FROM moved)`);
  return `WITH moved AS (${MOVES[kind]}), put AS (${insert}) SELECT 1 AS moved FROM moved`;
}

const FINISHED = (first: number) => `DELETE FROM ${ITEM} AS item WHERE ${heldIn(first)} RETURNING item.id`;

const LISTED = `id, kind, lane, qualifier, put_ms, visible_ms, receipt, receive_count, state, bytes, ${NOW} AS now_ms`;

export const EVENT_SQL = {
  put: INSERT,
  putBy: { first: putBy("first"), next: putBy("next"), forget: putBy("forget"), none: putBy("none") },
  has: `SELECT 1 FROM ${ITEM} WHERE id = $1`,
  cursors: `SELECT name, place FROM ${CURSOR} WHERE starts_with(name, $1) ORDER BY name`,
  // No more than its share of each lane is looked at, and what others are about to take is passed over.
  receive: `WITH asked AS (
      SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS a (lane, items, hold_ms, turn)
    ), taken AS (
      SELECT i.*, asked.hold_ms, asked.turn FROM asked CROSS JOIN LATERAL (
        SELECT id, visible_ms, receive_count, bytes FROM ${ITEM}
        WHERE lane = asked.lane AND visible_ms <= ${NOW} ORDER BY visible_ms LIMIT asked.items FOR UPDATE SKIP LOCKED
      ) AS i LIMIT $4
    ), counted AS (
      SELECT *, row_number() OVER given AS place, sum(bytes) OVER given AS bytes_so_far
      FROM taken WINDOW given AS (ORDER BY turn, visible_ms, id ROWS UNBOUNDED PRECEDING)
    )
    UPDATE ${ITEM} AS item
    SET receipt = $6, visible_ms = ${NOW} + counted.hold_ms, receive_count = item.receive_count + 1
    FROM counted
    WHERE item.id = ANY (ARRAY (SELECT id FROM counted)) AND item.id = counted.id
      AND (counted.place = 1 OR counted.bytes_so_far <= $5)
    RETURNING item.id, item.kind, item.lane, item.qualifier, item.state, item.body,
      counted.visible_ms, counted.receive_count, counted.place, ${NOW} AS now_ms`,
  finish: FINISHED(1),
  // plant: postgresqls-finish-forgets-the-deliveries
  finishInto: `WITH gone AS (${FINISHED(9)}), put AS (${insertFrom(
    `${NEW}, $11::text[]) AS n (${COLUMNS}, of) JOIN gone ON gone.id = n.of`,
  )}) SELECT id FROM gone`,
  free: `UPDATE ${ITEM} AS item
    SET visible_ms = ${NOW} + freed.delay, receipt = NULL, state = coalesce(freed.state, item.state)
    FROM unnest($1::text[], $3::bigint[], $4::text[]) AS freed (id, delay, state)
    WHERE freed.id = item.id AND ${heldIn(1)} RETURNING item.id`,
  extend: `UPDATE ${ITEM} AS item SET visible_ms = ${NOW} + $3 WHERE ${heldIn(1)} RETURNING item.id`,
  list: `SELECT ${LISTED} FROM ${ITEM} WHERE lane = $1 ORDER BY put_ms, id LIMIT $2`,
  get: `SELECT ${LISTED}, body FROM ${ITEM} WHERE id = $1`,
  backlog:
    `SELECT lane, count(*) AS items, sum(bytes) AS bytes, min(put_ms) AS first_ms, ${NOW} AS now_ms ` +
    `FROM ${ITEM} GROUP BY lane`,
} as const;
