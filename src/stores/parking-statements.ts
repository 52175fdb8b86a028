/** In what SQLite and PostgreSQL differ. All else of parking is the same text, with `$1` for the first parameter. */
export interface ParkingDialect {
  /** Before the names of tables. */
  readonly schema: string;
  /** Behind a `SELECT` of rows that are about to be changed, and of rows that must not change meanwhile. */
  readonly forUpdate: string;
  readonly forShare: string;
  /** A condition: a column is among the numbers of a JSON list, or its texts, which is a parameter. */
  isIn(column: string, parameter: string): string;
}

export type ParkingStatements = ReturnType<typeof parkingStatements>;

const ITEM = "seq, id, failure_id, item_id, shard_id, position, key, arrival_ms";
const ENDED = "state IN ('done', 'failed', 'uncertain', 'gone')";

/** Redrives, and what is parked for them; kinds of parked entries are kept apart by `kind`. */
export function parkingStatements(dialect: ParkingDialect) {
  return {
    ...fenceStatements(dialect),
    ...redriveStatements(dialect),
    ...queueStatements(dialect),
    ...stateStatements(dialect),
  } as const;
}

export type FenceStatements = ReturnType<typeof fenceStatements>;

/** The newest drainer of a mapping, whatever it drains. */
export function fenceStatements({ schema, forShare }: Pick<ParkingDialect, "schema" | "forShare">) {
  const fence = `${schema}parked_fence`;
  return {
    open:
      `INSERT INTO ${fence} AS fence (mapping, epoch) VALUES ($1, $2) ON CONFLICT (mapping) ` +
      "DO UPDATE SET epoch = excluded.epoch WHERE fence.epoch <= excluded.epoch",
    // plant: a-drainer-that-was-followed-still-writes
    isNewest: `SELECT 1 AS newest FROM ${fence} WHERE mapping = $1 AND epoch = $2${forShare}`,
  } as const;
}

function redriveStatements({ schema, forUpdate }: ParkingDialect) {
  const redrive = `${schema}redrive`;
  const columns = "document, rate, state, version, cursor, is_loaded, is_concluded, ended_ms";
  return {
    makeRedrive:
      `INSERT INTO ${redrive} (id, name, mapping, document, rate, state, version, is_loaded, last_seq, created_ms) ` +
      "VALUES ($1, $2, $3, $4, $5, 'planned', 1, 0, 0, $6) ON CONFLICT DO NOTHING",
    getRedrive: `SELECT ${columns} FROM ${redrive} WHERE id = $1`,
    findRedrive: `SELECT ${columns} FROM ${redrive} WHERE id = $1 OR name = $1 ORDER BY id = $1 DESC LIMIT 1`,
    listRedrives: `SELECT ${columns} FROM ${redrive} ORDER BY created_ms DESC, id`,
    pending: `SELECT ${columns} FROM ${redrive} WHERE is_concluded = 0 ORDER BY created_ms, id`,
    lockRedrive: `SELECT ${columns}, last_seq FROM ${redrive} WHERE id = $1${forUpdate}`,
    changeRedrive: `UPDATE ${redrive} SET state = $2, rate = $3, ended_ms = $4, is_concluded = 0, version = version + 1 WHERE id = $1`,
    moveCursor: `UPDATE ${redrive} SET cursor = $2, is_loaded = $3, last_seq = $4 WHERE id = $1`,
    removeRedrive: `DELETE FROM ${redrive} WHERE id = $1`,
    conclude: `UPDATE ${redrive} SET is_concluded = 1 WHERE id = $1`,
  } as const;
}

function queueStatements({ schema, isIn }: ParkingDialect) {
  const entry = `${schema}parked_entry`;
  return {
    removeItems: `DELETE FROM ${entry} WHERE kind = $1`,
    count: `SELECT state, count(*) AS items FROM ${entry} WHERE kind = $1 GROUP BY state`,
    ready: `SELECT DISTINCT queue FROM ${entry} WHERE kind = $1 AND state = 'waiting' AND queue > $2 ORDER BY queue LIMIT $3`,
    sizes:
      `SELECT seq, length(element) AS bytes FROM ${entry} ` +
      "WHERE kind = $1 AND queue = $2 AND state = 'waiting' ORDER BY seq LIMIT $3",
    read:
      `SELECT ${ITEM}, element, request_id FROM ${entry} ` +
      `WHERE kind = $1 AND ${isIn("seq", "$2")} AND state IN ('waiting', 'held') ORDER BY seq`,
    // What was started by the same attempt before is asked for again.
    countStartable:
      `SELECT count(*) AS items FROM ${entry} WHERE kind = $1 AND ${isIn("seq", "$2")} ` +
      "AND ((state IN ('waiting', 'started') AND attempt < $3) OR (state = 'started' AND attempt = $3))",
    start:
      `UPDATE ${entry} SET state = 'started', request_id = $3, attempt = $4 ` +
      `WHERE kind = $1 AND ${isIn("seq", "$2")}`,
    end:
      `UPDATE ${entry} SET state = $3, error = $4, attempt = $5 ` +
      `WHERE kind = $1 AND ${isIn("seq", "$2")} AND state = 'started' AND attempt <= $5`,
    // Who has given an attempt up does not want it to begin late.
    passOver:
      `UPDATE ${entry} SET attempt = $3 WHERE kind = $1 AND ${isIn("seq", "$2")} ` +
      "AND state IN ('waiting', 'held') AND attempt < $3",
    leftSizes:
      `SELECT seq, length(element) AS bytes FROM ${entry} ` +
      "WHERE kind = $1 AND state IN ('waiting', 'held') AND seq > $2 AND element IS NOT NULL " +
      "ORDER BY seq LIMIT $3",
    forgetElements: `UPDATE ${entry} SET element = NULL WHERE kind = $1 AND element IS NOT NULL`,
    untold:
      `SELECT ${ITEM}, element, state, error FROM ${entry} ` +
      `WHERE kind = $1 AND is_told = 0 AND ${ENDED} ORDER BY seq LIMIT $2`,
    told:
      `UPDATE ${entry} SET is_told = 1, element = CASE WHEN state = 'done' THEN NULL ELSE element END ` +
      `WHERE kind = $1 AND ${isIn("seq", "$2")} AND state = $3`,
    items:
      `SELECT ${ITEM}, state, request_id, error FROM ${entry} ` +
      "WHERE kind = $1 AND state = $2 AND seq > $3 ORDER BY seq LIMIT $4",
  } as const;
}

/** What moves items because of others. */
function stateStatements({ schema, isIn }: ParkingDialect) {
  const entry = `${schema}parked_entry`;
  const blocking = (states: string) =>
    `EXISTS (SELECT 1 FROM ${entry} AS before WHERE before.kind = waiter.kind AND before.queue = waiter.queue ` +
    `AND before.state IN (${states}))`;
  const hold = `UPDATE ${entry} AS waiter SET state = 'held' WHERE kind = $1 AND state = 'waiting' AND is_keyless = 0`;
  const retriable = `kind = $1 AND state = 'uncertain' AND (is_keyless = 1 OR NOT ${blocking("'failed'")})`;
  return {
    holdBehind:
      `${hold} AND queue IN (SELECT queue FROM ${entry} WHERE kind = $1 AND ${isIn("seq", "$2")}) ` +
      `AND ${blocking("'failed', 'uncertain'")}`,
    holdLoaded: `${hold} AND seq > $2 AND ${blocking("'failed', 'uncertain'")}`,
    countStarted: `SELECT count(*) AS items FROM ${entry} WHERE kind = $1 AND state = 'started' AND attempt < $2`,
    recover: `UPDATE ${entry} SET state = $2 WHERE kind = $1 AND state = 'started' AND attempt < $3`,
    holdUncertain:
      `${hold} AND queue IN (SELECT queue FROM ${entry} WHERE kind = $1 AND state = 'uncertain') ` +
      `AND ${blocking("'uncertain'")}`,
    countUncertain: `SELECT count(*) AS items FROM ${entry} WHERE kind = $1 AND state = 'uncertain'`,
    countRetriable: `SELECT count(*) AS items FROM ${entry} AS waiter WHERE ${retriable}`,
    retryUncertain: `UPDATE ${entry} AS waiter SET state = 'waiting', error = NULL, is_told = 0 WHERE ${retriable}`,
    releaseHeld:
      `UPDATE ${entry} AS waiter SET state = 'waiting' WHERE kind = $1 AND state = 'held' ` +
      `AND NOT ${blocking("'failed'")}`,
    countOpen:
      `SELECT count(*) AS items FROM ${entry} WHERE kind = $1 AND (state IN ('waiting', 'started') ` +
      `OR (is_told = 0 AND ${ENDED}))`,
  } as const;
}

/** Tables of redrives and of what is parked, and their indexes, for one dialect's words. */
export function parkingTables(words: {
  readonly schema: string;
  readonly text: string;
  readonly integer: string;
  readonly real: string;
  readonly bytes: string;
  readonly end: string;
}): string {
  const { schema, text, integer, real, bytes, end } = words;
  return `
    CREATE TABLE ${schema}redrive (
      id ${text} PRIMARY KEY,
      name ${text} NOT NULL UNIQUE,
      mapping ${text} NOT NULL,
      document ${text} NOT NULL,
      rate ${real},
      state ${text} NOT NULL,
      version ${integer} NOT NULL,
      cursor ${text},
      is_loaded ${integer} NOT NULL,
      is_concluded ${integer} NOT NULL DEFAULT 0,
      last_seq ${integer} NOT NULL,
      created_ms ${real} NOT NULL,
      ended_ms ${real}
    )${end};
    CREATE TABLE ${schema}parked_entry (
      kind ${text} NOT NULL,
      seq ${integer} NOT NULL,
      queue ${text} NOT NULL,
      is_keyless ${integer} NOT NULL,
      id ${text} NOT NULL,
      failure_id ${text} NOT NULL,
      item_id ${text} NOT NULL,
      shard_id ${text} NOT NULL,
      position ${text} NOT NULL,
      key ${text},
      arrival_ms ${real},
      element ${bytes},
      state ${text} NOT NULL,
      request_id ${text},
      attempt ${integer} NOT NULL DEFAULT 0,
      error ${text},
      is_told ${integer} NOT NULL DEFAULT 0,
      PRIMARY KEY (kind, seq),
      UNIQUE (kind, id)
    )${end};
    CREATE INDEX parked_entry_by_state ON ${schema}parked_entry (kind, state, queue, seq);
    CREATE INDEX parked_entry_by_queue ON ${schema}parked_entry (kind, queue, state);
    CREATE INDEX parked_entry_untold ON ${schema}parked_entry (kind, seq)
      WHERE is_told = 0 AND state IN ('done', 'failed', 'uncertain', 'gone');
    CREATE TABLE ${schema}parked_fence (mapping ${text} PRIMARY KEY, epoch ${integer} NOT NULL)${end};
  `;
}
