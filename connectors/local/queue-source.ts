import type { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { hasErrorCode, MillraceError } from "../../src/model/errors.ts";
import type { QueueMessage, QueueSource, Settlement } from "../../src/ports/queue-source.ts";
import type { LiveFile } from "../../src/sqlite/live-file.ts";
import type { WaitClock } from "../../src/sqlite/lock-wait.ts";
import { inTransaction } from "../../src/sqlite/transaction.ts";
import { AttachedQueue } from "./attached-queue.ts";
import type { FileClock } from "./file-clock.ts";
import { type QueueArn, siblingArn } from "./queue-arn.ts";
import type { QueueDelivery, Taken } from "./queue-delivery.ts";
import { asLocalMessages, createLocalMessageFactory, createLocalQueueEvents } from "./queue-event.ts";
import type { QueueRow } from "./queue-row.ts";
import type { QueueSettlement, Receipt } from "./queue-settlement.ts";
import { openLiveStreamFile, streamFileError } from "./stream-database.ts";

export const QUEUE_KIND = "local-queue";

/** As SQS: what the engine keeps room for. */
const RECEIVE_MESSAGES_MAX = 10;
/** How soon a receive that waits looks again: one look-up in an index, without a write. */
const POLL_MS = 100;
/**
 * A receive waits no longer on a queue that holds nothing at all, not even hidden messages: this is how soon the engine
 * learns that it is caught up, and asking again costs a look-up in an index.
 */
const WAIT_ON_EMPTY_MS = 500;

export interface LocalQueueOptions {
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** The mapping's: above 0, messages without attributes say so with `null` (queues §2.6). */
  readonly batchingWindowMs?: number;
  readonly clock?: WaitClock | undefined;
}

/**
 * Opens a local queue for receiving.
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND when the file or the queue does not exist.
 */
export function openLocalQueueSource(
  path: string,
  arn: QueueArn,
  { now = Date.now, batchingWindowMs = 0, clock }: LocalQueueOptions = {},
): QueueSource {
  try {
    const attach = (database: DatabaseSync) => new AttachedQueue(path, database, arn.name, now);
    const file = openLiveStreamFile(path, attach, clock);
    return createQueueSource(path, arn, file, batchingWindowMs > 0);
  } catch (error) {
    throw streamFileError(path, error);
  }
}

function createQueueSource(
  path: string,
  arn: QueueArn,
  file: LiveFile<AttachedQueue>,
  hasBatchingWindow: boolean,
): QueueSource {
  const toMessage = createLocalMessageFactory(arn, hasBatchingWindow);
  let told = identityOf(file, file.tables.known);

  const guard = async <T>(result: Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      return await result;
    } catch (error) {
      if (signal !== undefined) throwIfAborted(signal);
      throw streamFileError(path, error);
    }
  };
  const write = <T>(work: (open: AttachedQueue) => T, signal?: AbortSignal): Promise<T> =>
    guard(
      file.write((open, database) => inTransaction(database, "IMMEDIATE", () => work(open)), signal),
      signal,
    );
  const settle = (
    messages: readonly QueueMessage[],
    work: (settlement: QueueSettlement, receipts: readonly Receipt[], nowMs: number) => readonly Settlement[],
  ) => write((open) => work(open.look().settlement, asLocalMessages(messages), open.clock.advance().nowMs));
  /** Once: messages that are held are another queue's now, and are settled by nobody. */
  const tellOfNewQueue = (row: QueueRow): void => {
    const identity = identityOf(file, row);
    const isNews = identity !== told;
    told = identity;
    if (isNews) throw queueWasReplaced(path, arn.name);
  };
  const take = async (messagesMax: number, holdMs: number, signal: AbortSignal): Promise<Look> => {
    const sight = await guard(
      file.read((open) => {
        const now = open.look();
        tellOfNewQueue(now.row);
        return lookAt(now.delivery, open.clock);
      }, signal),
      signal,
    );
    if (!sight.mayTake) return { deliveries: [], mayHaveMore: false, isEmpty: sight.isEmpty };
    return await write((open) => {
      const { delivery } = open.look();
      const taken = delivery.take(messagesMax, holdMs, open.clock.advance());
      return { ...taken, isEmpty: delivery.nextVisibleMs() === undefined };
    }, signal);
  };
  return {
    get description() {
      const { isFifo, visibilityMs, redrive } = file.tables.known;
      const eventSourceArn = arn.arn;
      return {
        kind: QUEUE_KIND,
        eventSourceArn,
        isFifo,
        visibilityMs,
        receiveMessagesMax: RECEIVE_MESSAGES_MAX,
        deadLetter: redrive && {
          queue: siblingArn(arn, redrive.deadLetterQueue),
          receivesMax: redrive.receiveCountMax,
        },
      };
    },
    events: createLocalQueueEvents(),
    async receive({ messagesMax, waitMs, holdMs }, signal) {
      const wanted = Math.min(messagesMax, RECEIVE_MESSAGES_MAX);
      const askedMs = performance.now();
      for (;;) {
        // Nothing was handed out yet: the question is taken back.
        if (signal.aborted) return [];
        const look = await take(wanted, holdMs, signal).catch(takenBack);
        if (look === undefined) return [];
        const { deliveries, mayHaveMore, isEmpty } = look;
        if (deliveries.length > 0) return deliveries.map(toMessage);
        const boundMs = isEmpty ? Math.min(waitMs, WAIT_ON_EMPTY_MS) : waitMs;
        const leftMs = askedMs + boundMs - performance.now();
        if (leftMs <= 0 && !mayHaveMore) return [];
        await pause(mayHaveMore ? 0 : Math.min(POLL_MS, leftMs), signal);
      }
    },
    acknowledge: (messages) =>
      settle(messages, (settlement, receipts, nowMs) => settlement.acknowledge(receipts, nowMs)),
    release: (messages, delayMs) =>
      settle(messages, (settlement, receipts, nowMs) => settlement.release(receipts, nowMs, delayMs)),
    extend: (messages, holdMs) =>
      settle(messages, (settlement, receipts, nowMs) => settlement.extend(receipts, nowMs, holdMs)),
    async close() {
      file.close();
    },
  };
}

interface Look extends Taken {
  /** Not even hidden messages are there. */
  readonly isEmpty: boolean;
}

/** One look-up in an index, without a write. */
function lookAt(
  delivery: QueueDelivery,
  clock: FileClock,
): { readonly isEmpty: boolean; readonly mayTake: boolean } {
  const nextMs = delivery.nextVisibleMs();
  if (nextMs === undefined) return { isEmpty: true, mayTake: false };
  const nowMs = clock.peek();
  return { isEmpty: false, mayTake: nowMs === undefined || nextMs <= nowMs };
}

/** A queue that is made anew has another row, or stands in another file. */
function identityOf({ generation }: LiveFile<AttachedQueue>, { id }: QueueRow): string {
  return `${generation}:${id}`;
}

function queueWasReplaced(path: string, name: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `The queue "${name}" in ${path} was made anew while it was read: messages that were received from the former queue ` +
      "cannot be acknowledged in this one. Receiving goes on with the new queue.",
  );
}

/** To its end, or to an abort. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new MillraceError("ERR_MILLRACE_ABORTED", "The caller stopped receiving from a local queue.");
  }
}

/** An abort that came while the file was locked: nothing was taken. */
function takenBack(error: unknown): undefined {
  if (!hasErrorCode(error, "ERR_MILLRACE_ABORTED")) throw error;
}
