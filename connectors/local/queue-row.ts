import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { MillraceError } from "../../src/model/errors.ts";

/** A queue's settings, as its row holds them. */
export interface QueueRow {
  readonly id: number;
  readonly name: string;
  readonly isFifo: boolean;
  readonly visibilityMs: number;
  readonly delayMs: number;
  /** `undefined`: messages are kept for ever. */
  readonly retentionMs: number | undefined;
  readonly redrive: RedriveRow | undefined;
  /** The SHA-256 of a body stands for a deduplication id that is left out. */
  readonly deduplicatesContent: boolean;
  /** Epoch milliseconds; `undefined`: made by a version that did not note it. */
  readonly createdMs: number | undefined;
}

export interface RedriveRow {
  readonly deadLetterQueueId: number;
  readonly deadLetterQueue: string;
  readonly receiveCountMax: number;
}

/** @throws ERR_MILLRACE_SOURCE_NOT_FOUND, with the names of the queues that there are. */
export function findQueue(path: string, database: DatabaseSync, name: string): QueueRow {
  return createQueueFinder(path, database, name)();
}

/** Looks the queue up each time that it is called: its settings may change, and it may be removed and made anew. */
export function createQueueFinder(path: string, database: DatabaseSync, name: string): () => QueueRow {
  const find = database.prepare(
    "SELECT queue.*, target.name AS target_name FROM queue " +
      "LEFT JOIN queue AS target ON target.id = queue.dead_letter_queue WHERE queue.name = ?",
  );
  return () => {
    const row = find.get(name);
    if (row === undefined) throw noSuchQueue(path, database, name);
    return toQueueRow(row as unknown as Row);
  };
}

function noSuchQueue(path: string, database: DatabaseSync, name: string): MillraceError {
  const names = database.prepare("SELECT name FROM queue ORDER BY name LIMIT 20").all();
  const known = names.length === 0 ? "none" : names.map((each) => `"${each["name"]}"`).join(", ");
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_NOT_FOUND",
    `There is no queue "${name}" in ${path} (queues there: ${known}). Create it, or correct the name at the end of ` +
      "eventSourceArn.",
  );
}

export function isSameRow(one: QueueRow, other: QueueRow): boolean {
  return isDeepStrictEqual(one, other);
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly is_fifo: number;
  readonly visibility_ms: number;
  readonly delay_ms: number;
  readonly retention_ms: number | null;
  readonly dead_letter_queue: number | null;
  readonly target_name: string | null;
  readonly receive_count_max: number | null;
  readonly content_deduplication: number;
  readonly created_ms: number | null;
}

function toQueueRow(row: Row): QueueRow {
  return {
    id: row.id,
    name: row.name,
    isFifo: row.is_fifo === 1,
    visibilityMs: row.visibility_ms,
    delayMs: row.delay_ms,
    retentionMs: row.retention_ms ?? undefined,
    redrive: toRedriveRow(row),
    deduplicatesContent: row.content_deduplication === 1,
    createdMs: row.created_ms ?? undefined,
  };
}

function toRedriveRow(row: Row): RedriveRow | undefined {
  const { dead_letter_queue, target_name, receive_count_max } = row;
  if (dead_letter_queue === null || target_name === null || receive_count_max === null) return undefined;
  return {
    deadLetterQueueId: dead_letter_queue,
    deadLetterQueue: target_name,
    receiveCountMax: receive_count_max,
  };
}
