import { describeError } from "../model/errors.ts";
import type { FailureRecord } from "../model/failure-record.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import {
  FAILURE_ITEMS_MAX,
  type FailureError,
  type FailureIndex,
  type FailureRow,
} from "../ports/failure-index.ts";
import type { DeliveredFailure, EventNotes, FailureNotes, GivenUpEvent } from "../ports/failure-notes.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { eventRow, eventsOf } from "./event-rows.ts";
import { keyHashOf, rowIdOf } from "./failure-names.ts";

/** Failures that wait for the store; one more is not listed. */
const WAITING_MAX = 1_000;
/** Rows of one write. */
const WRITE_ROWS_MAX = 100;
const TRIES_MAX = 5;
const AGAIN_MS = 2_000;

export interface IndexWriterOptions {
  readonly index: FailureIndex;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "count" | "log">;
}

interface Waiting {
  readonly mapping: string;
  readonly row: FailureRow;
}

/**
 * Lists what was given up, best effort: a store that does not answer delays no record, costs a counted row at most, and
 * `millrace failures reindex` lists it from its destination.
 */
export class IndexWriter implements FailureNotes, EventNotes {
  readonly #options: IndexWriterOptions;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #pause: { readonly timer: ScheduledCall; readonly end: () => void } | undefined;
  #isClosed = false;

  constructor(options: IndexWriterOptions) {
    this.#options = options;
  }

  delivered(failure: DeliveredFailure): void {
    this.#note(failure.mapping, () => rowOf(failure));
  }

  eventGivenUp(event: GivenUpEvent): void {
    this.#note(eventsOf(event.functionName), () => eventRow(event));
  }

  #note(mapping: string, row: () => FailureRow): void {
    if (this.#isClosed || this.#waiting.length >= WAITING_MAX) {
      this.#lost([mapping], "too many failures wait for the store");
      return;
    }
    this.#waiting.push({ mapping, row: row() });
    this.#writing ??= this.#writeAll();
  }

  /** Writes what waits, without waiting for a store that does not answer at once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pause?.timer.cancel();
    this.#pause?.end();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // What comes in the same turn goes out together.
    await Promise.resolve();
    for (let tries = 1; this.#waiting.length > 0; tries++) {
      const group = this.#waiting.slice(0, WRITE_ROWS_MAX);
      try {
        await this.#options.index.add(group.map(({ row }) => row));
      } catch (error) {
        if (tries < TRIES_MAX && !this.#isClosed) {
          await this.#wait(AGAIN_MS);
          continue;
        }
        const mappings = group.map(({ mapping }) => mapping);
        this.#lost(mappings, describeError(error));
      }
      this.#waiting.splice(0, group.length);
      tries = 0;
    }
    this.#writing = undefined;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#pause = undefined;
        resolve();
      };
      this.#pause = { timer: this.#options.clock.schedule(ms, end), end };
    });
  }

  #lost(mappings: readonly string[], error: string): void {
    const { telemetry } = this.#options;
    for (const [mapping, { length }] of Map.groupBy(mappings, (name) => name)) {
      telemetry.count("failure_index_errors", mapping, length);
      const message =
        "failures were delivered to their destination and are not listed: millrace failures reindex";
      telemetry.log("warn", message, { mapping, failures: length, error });
    }
  }
}

function rowOf({ record, items, destination, at, trace }: DeliveredFailure): FailureRow {
  const { id, mappingUuid, condition, error, batch, payload, timestampMs } = record;
  return {
    id: rowIdOf(id),
    mapping: mappingUuid,
    condition,
    ...(error === undefined ? {} : { error: errorOf(error) }),
    shardId: batch.shardId,
    items: items.slice(0, FAILURE_ITEMS_MAX).map(({ position, key }) => ({
      position,
      keyHash: keyHashOf(key),
    })),
    count: batch.records?.count ?? 0,
    bytes: payload?.length ?? 0,
    atMs: timestampMs,
    where: at === undefined ? { destination } : { destination, at },
    ...(trace === undefined ? {} : { trace }),
    state: "open",
  };
}

function errorOf({ id, errorType, message, stack }: NonNullable<FailureRecord["error"]>): FailureError {
  return {
    id,
    type: errorType,
    ...(message === undefined ? {} : { message }),
    ...(stack === undefined ? {} : { stack }),
  };
}
