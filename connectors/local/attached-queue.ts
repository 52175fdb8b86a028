import type { DatabaseSync } from "node:sqlite";
import { createFileClock, type FileClock } from "./file-clock.ts";
import { QueueDelivery } from "./queue-delivery.ts";
import { createQueueFinder, isSameRow, type QueueRow } from "./queue-row.ts";
import { createQueueSettlement, type QueueSettlement } from "./queue-settlement.ts";

/** A queue as its row says now. */
export interface QueueNow {
  readonly row: QueueRow;
  readonly delivery: QueueDelivery;
  readonly settlement: QueueSettlement;
}

/**
 * A queue in the file that is open. Its settings belong to whoever made it: each use looks at its row again, and a
 * queue that was removed and made anew under its name is another row.
 */
export class AttachedQueue {
  readonly clock: FileClock;
  readonly #database: DatabaseSync;
  readonly #find: () => QueueRow;
  #now: QueueNow;

  constructor(path: string, database: DatabaseSync, name: string, now: () => number) {
    this.#database = database;
    this.#find = createQueueFinder(path, database, name);
    this.clock = createFileClock(database, now);
    this.#now = attach(database, this.#find());
    // Holds and settlements need not outlive a loss of power: one that is forgotten has its message come again. What
    // was sent is on the disk by then, and a process that is killed loses nothing.
    database.exec("PRAGMA synchronous = NORMAL");
  }

  /** As it was looked at last. */
  get known(): QueueRow {
    return this.#now.row;
  }

  /** @throws ERR_MILLRACE_SOURCE_NOT_FOUND as long as there is none of its name. */
  look(): QueueNow {
    const row = this.#find();
    // plant: a-local-queues-row-is-read-once-and-believed-for-ever
    if (!isSameRow(row, this.#now.row)) this.#now = attach(this.#database, row);
    return this.#now;
  }
}

function attach(database: DatabaseSync, row: QueueRow): QueueNow {
  return {
    row,
    delivery: new QueueDelivery(database, row),
    settlement: createQueueSettlement(database, row.id),
  };
}
