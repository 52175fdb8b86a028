import type { FailureCondition } from "../model/failure-record.ts";
import type { Position } from "../model/record.ts";

/** Rows of a store, at most: the oldest go first. */
export const FAILURE_ROWS_MAX = 100_000;
/** Records that a row names one by one. */
export const FAILURE_ITEMS_MAX = 10_000;

/**
 * What is known of what was given up: a row for each discard that a failure destination has accepted. The truth is what
 * the destination keeps; rows tell what its documents do not, such as keys, errors and what became of it since.
 *
 * Laws, which the contract suite `test/contract/failure-index.ts` checks of every adapter:
 * - `add` leaves a row that is there as it is: a discard that is told twice changes nothing.
 * - At most `rowsMax` rows are kept; the oldest go first.
 * - `list` gives rows in the order of their times, then of their ids, and goes on behind any of them.
 * - `mark` changes the rows that are in one of the states named and of the redrive named, answers with their ids, and
 *   changes no other: of two at once, each row is given to one.
 * - What was written is what is read: by any process that opens the same store, also after a restart.
 * - A call that fails rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`; whether it took effect is then unknown, and it may
 *   be made again.
 */
export interface FailureIndex {
  add(rows: readonly FailureRow[]): Promise<void>;
  list(query: FailureQuery): Promise<readonly FailureRow[]>;
  get(id: string): Promise<FailureRow | undefined>;
  mark(ids: readonly string[], change: FailureMark): Promise<readonly string[]>;
  close(): Promise<void>;
}

export const FAILURE_STATES = ["open", "redriving", "done", "discarded", "uncertain"] as const;
export type FailureState = (typeof FAILURE_STATES)[number];

export interface FailureRow {
  /** Short, the same for every telling of the same discard. */
  readonly id: string;
  /** UUID. */
  readonly mapping: string;
  readonly condition: FailureCondition;
  /** What the function failed with; absent: it did not, or nobody knows any more. */
  readonly error?: FailureError;
  readonly shardId: string;
  /** In the order of the batch; fewer than `count` when there were too many, none when nobody knows them. */
  readonly items: readonly FailureItem[];
  readonly count: number;
  /** Bytes of the event. */
  readonly bytes: number;
  readonly atMs: number;
  readonly where: FailurePlace;
  /** The failure whose event has its records, where that is another: what was redriven and failed again. */
  readonly origin?: string;
  /** `traceparent` of the attempt that it failed with; absent: it was not traced. */
  readonly trace?: string;
  readonly state: FailureState;
  /** The redrive that has it, or had it last. */
  readonly redriveId?: string;
}

export interface FailureError {
  /** From the error book: the same for errors that are the same but for their values. */
  readonly id?: string;
  readonly type: string;
  readonly message?: string;
  readonly stack?: string;
}

export interface FailureItem {
  readonly position: Position;
  /** `undefined`: it has no key. */
  readonly keyHash: string | undefined;
}

export interface FailurePlace {
  /** The one spelling of a destination, or the name of a queue's dead letters. */
  readonly destination: string;
  /** What its destination finds it by; absent: nothing does. */
  readonly at?: string;
}

export interface FailureQuery {
  readonly mapping?: string | undefined;
  readonly redriveId?: string | undefined;
  /** Epoch milliseconds: from this on, and before that. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly after?: FailureBookmark | undefined;
  readonly max: number;
}

export interface FailureBookmark {
  readonly atMs: number;
  readonly id: string;
}

export interface FailureMark {
  readonly from: readonly FailureState[];
  /** Only those that this redrive has. */
  readonly ofRedrive?: string | undefined;
  readonly state: FailureState;
  readonly redriveId: string | undefined;
}
