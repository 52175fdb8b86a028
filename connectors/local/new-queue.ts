import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../src/model/errors.ts";
import { DELAY_MS_MAX, isDelay } from "./new-message.ts";
import { findQueue, type QueueRow } from "./queue-row.ts";

export interface NewQueue {
  /** 1…80 letters, digits, `_` and `-`; a FIFO queue's name ends in `.fifo`, as in SQS. */
  readonly name: string;
  /** Left out: as the name says. */
  readonly fifo?: boolean;
  /** How long a received message is hidden; 0…43,200,000. Left out: 30,000, as in SQS. */
  readonly visibilityMs?: number;
  /** How long a message is hidden at first; 0…900,000. Left out: 0. */
  readonly delayMs?: number;
  /** How long a message is kept; left out: for ever. */
  readonly retentionMs?: number;
  /** Where a message goes that was received `maxReceiveCount` times: a queue of this file, of the same kind. */
  readonly redrive?: { readonly deadLetterQueue: string; readonly maxReceiveCount: number };
  /** A message without a deduplication id has the SHA-256 of its body as one; FIFO only. Left out: false. */
  readonly contentBasedDeduplication?: boolean;
}

const NAME = /^[a-zA-Z0-9_-]{1,80}$/;
const VISIBILITY_MS = 30_000;
const VISIBILITY_MS_MAX = 43_200_000;
const RECEIVE_COUNT_MAX = 1_000;

/**
 * Call it in a write transaction. @throws ERR_MILLRACE_CONFIG when the queue exists already or a value is out of range.
 */
export function insertQueue(path: string, database: DatabaseSync, queue: NewQueue, createdMs: number): void {
  checkNewQueue(queue);
  const { name, visibilityMs = VISIBILITY_MS, delayMs = 0, retentionMs, redrive } = queue;
  const deadLetterQueue = redrive && findDeadLetterQueue(path, database, name, redrive.deadLetterQueue);
  const { changes } = database
    .prepare(
      "INSERT INTO queue (name, is_fifo, visibility_ms, delay_ms, retention_ms, dead_letter_queue, receive_count_max, " +
        "content_deduplication, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .run(
      name,
      Number(isFifoName(name)),
      visibilityMs,
      delayMs,
      retentionMs ?? null,
      deadLetterQueue?.id ?? null,
      redrive?.maxReceiveCount ?? null,
      Number(queue.contentBasedDeduplication === true),
      createdMs,
    );
  if (changes === 0) {
    throw invalid(`The queue "${name}" exists already in ${path}. Open it, or choose another name`);
  }
}

function findDeadLetterQueue(path: string, database: DatabaseSync, name: string, target: string): QueueRow {
  if (target === name) throw invalid(`The queue "${name}" cannot be its own dead-letter queue`);
  if (isFifoName(target) !== isFifoName(name)) {
    throw invalid(`The dead-letter queue of "${name}" must be FIFO if and only if "${name}" is`);
  }
  return findQueue(path, database, target);
}

function checkNewQueue(queue: NewQueue): void {
  const { name, fifo, visibilityMs, delayMs, retentionMs, redrive } = queue;
  const isFifo = isFifoName(name);
  if (!NAME.test(isFifo ? name.slice(0, -".fifo".length) : name) || name.length > 80) {
    throw invalid(
      `"${name.slice(0, 200)}" is not a queue name: use 1 to 80 letters, digits, "_" and "-", and .fifo at the end of a ` +
        "FIFO queue's",
    );
  }
  if (fifo !== undefined && fifo !== isFifo) {
    throw invalid(`The name of a FIFO queue, and no other, ends in .fifo: "${name}" with fifo: ${fifo}`);
  }
  if (queue.contentBasedDeduplication === true && !isFifo) {
    throw invalid(
      `contentBasedDeduplication is for FIFO queues: leave it out, or name the queue ${name}.fifo`,
    );
  }
  if (visibilityMs !== undefined && !isWithin(visibilityMs, 0, VISIBILITY_MS_MAX)) {
    throw invalid(`visibilityMs is a whole number from 0 to ${VISIBILITY_MS_MAX}, not ${visibilityMs}`);
  }
  if (delayMs !== undefined && !isDelay(delayMs)) {
    throw invalid(`delayMs is a whole number from 0 to ${DELAY_MS_MAX}, not ${delayMs}`);
  }
  if (retentionMs !== undefined && !isWithin(retentionMs, 1, Number.MAX_SAFE_INTEGER)) {
    throw invalid(
      `retentionMs must be a whole number above 0, not ${retentionMs}; leave it out to keep for ever`,
    );
  }
  if (redrive !== undefined && !isWithin(redrive.maxReceiveCount, 1, RECEIVE_COUNT_MAX)) {
    throw invalid(
      `maxReceiveCount is a whole number from 1 to ${RECEIVE_COUNT_MAX}, not ${redrive.maxReceiveCount}`,
    );
  }
}

function isFifoName(name: string): boolean {
  return name.endsWith(".fifo");
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

function invalid(message: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `${message}.`);
}
