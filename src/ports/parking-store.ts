import type {
  EndedState,
  ItemError,
  ItemState,
  NewRedrive,
  Redrive,
  RedriveCounts,
  RedriveItem,
  RedriveState,
} from "../model/redrive.ts";

/**
 * Keeper of redrives and of what they have to hand over: queues of items, one for each key, in the order in which they
 * were loaded.
 *
 * Laws, which the contract suite `test/contract/parking-store.ts` checks of every adapter:
 * - What was answered survives kill and loss of power.
 * - Items of a queue are read in the order in which they were loaded, each id of a redrive once, however often it is
 *   loaded.
 * - `load`, `start`, `end`, `recover`, `finish` take effect only for the newest drainer of the mapping, and answer
 *   `fenced` otherwise. The drainer with the highest epoch that has opened is the newest.
 * - An item starts only while its redrive runs: after `change` has answered `paused`, none does.
 * - An item goes from `waiting` to `started`, and from there to an end or back to `waiting`; `held` stands for
 *   `waiting` where the queue is blocked. No call moves it from another place, or twice.
 * - Counts are those of one moment, and add up.
 * - A call that fails rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`. Whether it took effect is then *unknown*; it may
 *   be repeated, and takes effect once. It may also take effect much later, and then changes nothing that came after.
 */
export interface ParkingStore {
  /** `exists`: another one has its name or id. The same made again is answered as it stands. */
  create(redrive: NewRedrive): Promise<Redrive | "exists">;
  /** The newest first; `states`: only those. */
  list(states?: readonly RedriveState[]): Promise<readonly Redrive[]>;
  /** Those that are not concluded, the oldest first. Cheap: processes ask every second. */
  pending(): Promise<readonly Redrive[]>;
  get(idOrName: string): Promise<Redrive | undefined>;
  /** `stale`: it is not there, or not at the version that was seen. */
  change(id: string, seenVersion: number, change: RedriveChange): Promise<Redrive | "stale">;
  /** Forgets a redrive with all that is parked for it. */
  remove(id: string): Promise<void>;
  counts(id: string): Promise<RedriveCounts | undefined>;

  /** The drainer of a mapping begins. `fenced`: one of a higher epoch has. */
  open(drainer: Drainer): Promise<"open" | "fenced">;
  /** `stale`: it is loaded to another place than the caller has seen. Items without an element end as `gone`. */
  load(drainer: Drainer, id: string, window: LoadedWindow): Promise<"loaded" | "stale" | "fenced">;
  /** Queues behind `after` with an item that waits and may start, in the order of their names. */
  ready(id: string, after: string, max: number): Promise<readonly string[]>;
  /**
   * The first items of a queue that wait, with their elements: at most so many and so many bytes, and at least one if
   * there is one.
   */
  head(id: string, queue: string, itemsMax: number, bytesMax: number): Promise<readonly ParkedItem[]>;
  /**
   * Says that the function is about to get these, which wait or have been started by a lower attempt. `refused`: the
   * redrive does not run, or one of them has come to an end or was started by a higher one: none is started.
   */
  start(drainer: Drainer, id: string, try_: ItemTry): Promise<"started" | "refused" | "fenced">;
  /**
   * Says what became of items that have started; others, and those of a higher attempt, stay as they are. An attempt
   * that is said to leave them waiting starts none of them any more. Behind one that failed or is uncertain, the
   * rest of its queue is held, also what is loaded later, unless it is keyless.
   */
  end(drainer: Drainer, id: string, ends: readonly ItemEnd[]): Promise<"ended" | "fenced">;
  /** What drainers before have started and not ended: it waits again, or is uncertain. Answers how many. */
  recover(drainer: Drainer, id: string, to: "waiting" | "uncertain"): Promise<number | "fenced">;
  /**
   * Uncertain ones wait again, but for those of a queue that is blocked by one that failed, and so does what was held
   * behind them; the redrive runs again where it was done.
   * `undefined`: it is not there, or was cancelled.
   */
  retryUncertain(id: string, seenVersion: number): Promise<Redrive | "stale" | undefined>;
  /** It is done, when all is loaded, nothing has started, and nothing waits that may start. */
  finish(drainer: Drainer, id: string, endedMs: number): Promise<"finished" | "unfinished" | "fenced">;

  /** Ends that the feed has not been told yet, in the order of loading, with their elements. */
  untold(id: string, max: number): Promise<readonly EndedItem[]>;
  /** The feed knows of them: elements of those that are done are forgotten. */
  told(id: string, ends: readonly Pick<EndedItem, "seq" | "state">[]): Promise<void>;
  /** Items that wait or are held behind `after`, with their elements: so many and so many bytes, and at least one. */
  left(id: string, after: number, itemsMax: number, bytesMax: number): Promise<readonly ParkedItem[]>;
  /** The feed knows of the end of a redrive that is done or cancelled: all its elements are forgotten. */
  conclude(id: string): Promise<void>;
  /** For people: items of a state behind `after`, without their elements. */
  items(id: string, state: ItemState, after: number, max: number): Promise<readonly ListedItem[]>;
  close(): Promise<void>;
}

/** Who drains a mapping, by the epoch of the lease that it holds for it. */
export interface Drainer {
  readonly mapping: string;
  readonly epoch: number;
}

export interface RedriveChange {
  readonly state?: RedriveState;
  readonly rate?: number | undefined;
  readonly endedMs?: number;
}

export interface LoadedWindow {
  /** How far it was loaded before. */
  readonly seen: string | undefined;
  /** How far it is loaded with this; `undefined`: to the end. */
  readonly next: string | undefined;
  readonly items: readonly QueuedItem[];
}

/** An item with the queue that it waits in. */
export interface QueuedItem extends RedriveItem {
  readonly queue: string;
  /** Items behind one that failed may start: they have no order among them. */
  readonly isKeyless: boolean;
}

export interface ParkedItem extends RedriveItem {
  /** Its place in the order of loading, from 1. */
  readonly seq: number;
  readonly element: Uint8Array;
  /** The request that it was started in last; `undefined`: it never was. */
  readonly requestId: string | undefined;
}

/** Tries of a drainer are numbered from here on: above all those of drainers before it. */
export function firstAttempt({ epoch }: Drainer): number {
  return epoch * ATTEMPTS_MAX + 1;
}

const ATTEMPTS_MAX = 1_000_000_000;

export interface ItemTry {
  readonly seqs: readonly number[];
  readonly requestId: string;
  /** Higher with each try of a drainer. */
  readonly attempt: number;
}

export interface ItemEnd {
  readonly seq: number;
  /** The last that was made. */
  readonly attempt: number;
  readonly state: Extract<EndedState, "done" | "failed" | "uncertain"> | "waiting";
  readonly error?: ItemError | undefined;
}

export interface EndedItem extends RedriveItem {
  readonly seq: number;
  readonly state: EndedState;
  readonly error: ItemError | undefined;
}

export interface ListedItem extends Omit<RedriveItem, "element"> {
  readonly seq: number;
  readonly state: ItemState;
  readonly requestId: string | undefined;
  readonly error: ItemError | undefined;
}
