import type { AsyncItemKind, AttemptState, NewAsyncItem } from "../model/async-item.ts";
import type { Settlement } from "./queue-source.ts";

/**
 * The queue of events that were accepted and run later, and of the deliveries that they end in. It knows nothing of
 * what an item means.
 *
 * Laws, which the contract suite `test/contract/async-queue.ts` checks of every adapter:
 * - `put` is durable before it resolves: all items or none. An id exists at most once: an item whose id is there
 *   already stays as it is.
 * - With a cursor it takes effect only if the cursor stands at `from`, and moves it in the same write; else it answers
 *   `stale` and changes nothing. Of several at once from one place exactly one takes effect.
 * - An item is handed out only once it is visible, with a hold: until that ends nobody else gets it. Then, or released,
 *   it comes again with a higher receive count.
 * - `receive` gives no item of a lane that was not asked for, and no more of each than asked for: of a lane those that
 *   have been visible for the longest.
 * - `finish` takes the item off for good and puts `next`, in one write; `retry` gives it a new state. They, `release`
 *   and `extend` change nothing where the hold has ended or the item is gone, and answer `lost`.
 * - What one handle gave, another of the same queue may settle.
 * - `list` and `get` take nothing and change nothing: whoever looks delays and repeats no item.
 * - Deviation of an engine that is no database (`isAtomic` is false): `finish`, `retry` and `put` with a cursor are
 *   several calls, in such an order that a death between them repeats and loses nothing; items beyond the
 *   bound of their lane are given back.
 * - A call that fails rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`. Whether it took effect is then *unknown*: of a
 *   `put` one may ask `has`; a `finish` may be repeated, and is then `lost` if it took effect.
 */
export interface AsyncQueue {
  readonly description: AsyncQueueDescription;
  put(items: readonly NewAsyncItem[], cursor?: CursorMove): Promise<"put" | "stale">;
  /** It is there, handed out or not; after a `put` whose answer was lost. */
  has(id: string): Promise<boolean>;
  /** Places of the cursors whose names begin with the prefix; of those that are not there, none has moved yet. */
  cursors(prefix: string): Promise<ReadonlyMap<string, string>>;
  /** What there is now. An engine that is asked over a network may wait for `waitMs` until there is something. */
  receive(wanted: AsyncReceive, signal: AbortSignal): Promise<readonly AsyncItem[]>;
  retry(held: AsyncItem, state: AttemptState, delayMs: number): Promise<Settlement>;
  finish(held: AsyncItem, next: readonly NewAsyncItem[]): Promise<Settlement>;
  /** Ends the hold after `delayMs`; its state stays as it is. */
  release(held: AsyncItem, delayMs: number): Promise<Settlement>;
  /** Has the holds end `holdMs` from now. */
  extend(held: readonly AsyncItem[], holdMs: number): Promise<readonly Settlement[]>;
  /** What there is of each lane, handed out or not; of an engine that cannot say, nothing. */
  backlog(): Promise<readonly LaneBacklog[]>;
  /** How many items there are of all lanes, handed out or not, about; only where `backlog` cannot say it by lane. */
  total?(): Promise<number>;
  /** Those of a lane that were put first, handed out or not; of an engine that cannot look, none. */
  list(lane: string, max: number): Promise<readonly ListedAsyncItem[]>;
  /** `undefined`: it is not there, or the engine cannot look. */
  get(id: string): Promise<ShownAsyncItem | undefined>;
  close(): Promise<void>;
}

export interface AsyncQueueDescription {
  /** For people: what keeps it. */
  readonly engine: string;
  /** What was accepted outlives this process. */
  readonly isDurable: boolean;
  readonly isAtomic: boolean;
  /** The largest body of an item. */
  readonly bodyBytesMax: number;
}

export interface AsyncReceive {
  /** Asked in this order. */
  readonly lanes: readonly LaneRoom[];
  readonly itemsMax: number;
  /** No more than these, but for the first. */
  readonly bytesMax: number;
  readonly waitMs: number;
}

export interface LaneRoom {
  readonly lane: string;
  readonly itemsMax: number;
  /** How long its items are held. */
  readonly holdMs: number;
}

/** An item that is held. */
export interface AsyncItem {
  readonly id: string;
  readonly kind: AsyncItemKind;
  readonly lane: string;
  readonly qualifier: string;
  readonly body: Uint8Array;
  /** `undefined`: nobody can read what was written there. */
  readonly state: AttemptState | undefined;
  /** Which hold it is: another one of the same item has another. */
  readonly receipt: string;
  /** 1 at its first delivery. */
  readonly receiveCount: number;
  /** How long it has been visible, and not handed out, before this hold. */
  readonly waitedMs: number;
}

/** An item as whoever looks at it sees it. */
export interface ListedAsyncItem {
  readonly id: string;
  readonly kind: AsyncItemKind;
  readonly lane: string;
  readonly qualifier: string;
  readonly bytes: number;
  /** `undefined`: nobody can read what was written there. */
  readonly state: AttemptState | undefined;
  /** Since it was put. */
  readonly ageMs: number;
  /** Somebody has it. */
  readonly isHeld: boolean;
  /** Until it may be handed out, or its hold ends; 0: it may be now. */
  readonly dueInMs: number;
  readonly receiveCount: number;
}

export interface ShownAsyncItem extends ListedAsyncItem {
  readonly body: Uint8Array;
}

/** Takes effect only if the cursor stands at `from`; `""`: none yet. `to` of `""` forgets it. */
export interface CursorMove {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export interface LaneBacklog {
  readonly lane: string;
  readonly items: number;
  readonly bytes: number;
  /** Age of the one that was put first; it may be handed out. */
  readonly oldestMs: number;
}
