import type { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { MillraceError } from "../../src/model/errors.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import { inTransaction } from "../../src/sqlite/transaction.ts";
import { createFileClock } from "./file-clock.ts";
import type { QueueArn } from "./queue-arn.ts";
import { QueueDelivery, type Taken } from "./queue-delivery.ts";
import { asLocalMessages, createLocalMessageFactory, createLocalQueueEvents } from "./queue-event.ts";
import { findQueue } from "./queue-row.ts";
import { createQueueSettlement } from "./queue-settlement.ts";
import { openStreamDatabase, streamFileError } from "./stream-database.ts";

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

/**
 * Opens a local queue for receiving.
 * @param batchingWindowMs of the mapping: above 0, messages without attributes say so with `null` (queues §2.6).
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND when the file or the queue does not exist.
 */
export function openLocalQueueSource(
  path: string,
  arn: QueueArn,
  now: () => number = Date.now,
  batchingWindowMs = 0,
): QueueSource {
  const database = openStreamDatabase(path);
  try {
    // Holds and settlements need not outlive a loss of power: one that is forgotten has its message come again. What was
    // sent is on the disk by then, and a process that is killed loses nothing.
    database.exec("PRAGMA synchronous = NORMAL");
    return createQueueSource(path, arn, database, now, batchingWindowMs > 0);
  } catch (error) {
    database.close();
    throw streamFileError(path, error);
  }
}

function createQueueSource(
  path: string,
  arn: QueueArn,
  database: DatabaseSync,
  now: () => number,
  hasBatchingWindow: boolean,
): QueueSource {
  const queue = findQueue(path, database, arn.name);
  const clock = createFileClock(database, now);
  const delivery = new QueueDelivery(database, queue);
  const settlement = createQueueSettlement(database, queue.id);
  const toMessage = createLocalMessageFactory(arn, hasBatchingWindow);

  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw streamFileError(path, error);
    }
  };
  const write = <T>(work: () => T): T => guard(() => inTransaction(database, "IMMEDIATE", work));
  const isEmpty = (): boolean => guard(() => delivery.nextVisibleMs()) === undefined;
  const mayTake = (): boolean => {
    const nextMs = delivery.nextVisibleMs();
    if (nextMs === undefined) return false;
    const nowMs = clock.peek();
    return nowMs === undefined || nextMs <= nowMs;
  };
  const take = (messagesMax: number, holdMs: number): Taken => {
    if (!guard(mayTake)) return { deliveries: [], mayHaveMore: false };
    return write(() => delivery.take(messagesMax, holdMs, clock.advance()));
  };
  return {
    description: {
      kind: QUEUE_KIND,
      eventSourceArn: arn.arn,
      isFifo: queue.isFifo,
      visibilityMs: queue.visibilityMs,
      receiveMessagesMax: RECEIVE_MESSAGES_MAX,
    },
    events: createLocalQueueEvents(),
    async receive({ messagesMax, waitMs, holdMs }, signal) {
      const wanted = Math.min(messagesMax, RECEIVE_MESSAGES_MAX);
      const askedMs = performance.now();
      for (;;) {
        throwIfAborted(signal);
        const { deliveries, mayHaveMore } = take(wanted, holdMs);
        if (deliveries.length > 0) return deliveries.map(toMessage);
        const boundMs = isEmpty() ? Math.min(waitMs, WAIT_ON_EMPTY_MS) : waitMs;
        const leftMs = askedMs + boundMs - performance.now();
        if (leftMs <= 0 && !mayHaveMore) return [];
        await pause(mayHaveMore ? 0 : Math.min(POLL_MS, leftMs), signal);
      }
    },
    acknowledge: async (messages) =>
      write(() => settlement.acknowledge(asLocalMessages(messages), clock.advance().nowMs)),
    release: async (messages, delayMs) =>
      write(() => settlement.release(asLocalMessages(messages), clock.advance().nowMs, delayMs)),
    extend: async (messages, holdMs) =>
      write(() => settlement.extend(asLocalMessages(messages), clock.advance().nowMs, holdMs)),
    async close() {
      if (database.isOpen) database.close();
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new MillraceError("ERR_MILLRACE_ABORTED", "The caller stopped receiving from a local queue.");
  }
}
