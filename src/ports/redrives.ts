import type {
  EndedState,
  ItemError,
  ItemState,
  NewRedrive,
  Redrive,
  RedriveCounts,
  RedriveItem,
} from "../model/redrive.ts";
import type { ListedItem } from "./parking-store.ts";

/**
 * What people do with redrives: any process of the store answers for all of them. Whoever runs the mapping, and holds
 * its lease for redrives, does the work, and sees a change within a second.
 */
export interface Redrives {
  /** It begins as soon as somebody runs the mapping. `exists`: its name is taken. */
  create(wanted: WantedRedrive): Promise<RedriveStatus | "exists">;
  /** The newest first. */
  list(): Promise<readonly RedriveStatus[]>;
  /** Those that are not concluded. */
  pending(): Promise<readonly RedriveStatus[]>;
  get(idOrName: string): Promise<RedriveStatus | undefined>;
  /** Nothing starts after its answer; what the function has comes to its end. */
  pause(idOrName: string): Promise<RedriveStatus | RedriveRefusal>;
  resume(idOrName: string): Promise<RedriveStatus | RedriveRefusal>;
  /** For good: what waits stays where it failed first. */
  cancel(idOrName: string): Promise<RedriveStatus | RedriveRefusal>;
  setRate(idOrName: string, rate: number | undefined): Promise<RedriveStatus | RedriveRefusal>;
  /** Uncertain items are handed over again, under the request ids that they had. */
  retryUncertain(idOrName: string): Promise<RedriveStatus | RedriveRefusal>;
  items(id: string, state: ItemState, after: number, max: number): Promise<readonly ListedItem[]>;
}

/** `id`: a UUID of the caller's own; absent: one is made. */
export type WantedRedrive = Omit<NewRedrive, "id" | "createdMs"> & { readonly id?: string };

export interface RedriveStatus extends Redrive {
  readonly counts: RedriveCounts;
}

/** `notFound`: there is none of this name or id. `state`: what it is does not allow it. */
export type RedriveRefusal =
  | { readonly kind: "notFound" }
  | { readonly kind: "state"; readonly state: Redrive["state"] };

/**
 * What a redrive is fed with and what hears of its ends: the catalogue of failures.
 *
 * Laws:
 * - Windows follow each other by their cursors, also in another process and after a restart. Items of one key come in
 *   the order in which they were read first, over all windows.
 * - `ended` is told of each end after it is durable, in the order of each key, and again until it resolves: after a
 *   crash the same may come twice.
 * - What rejects is tried again, after a pause.
 */
export interface RedriveFeed {
  /**
   * `undefined`: there is nothing just now, and that is not the end. Asked again from the same cursor, where nobody
   * knows whether the store has what was given: it may give the same again, or what follows another cursor.
   */
  window(
    redrive: Redrive,
    cursor: string | undefined,
    bounds: WindowBounds,
  ): Promise<RedriveWindow | undefined>;
  /** What was given up to this cursor is durable. A crash may come before it is told. */
  loaded(redrive: Redrive, cursor: string | undefined): Promise<void>;
  ended(redrive: Redrive, ends: readonly ToldEnd[]): Promise<void>;
  /**
   * `traceparent` of the attempts that failures failed with, by the failure's id, as far as anybody knows. Asked only
   * where something is traced. Absent: nobody knows any.
   */
  tracesOf?(redrive: Redrive, failureIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Behind all ends, once nothing of it can go on: it is done and nothing is uncertain, or it was cancelled. `left` is
   * what was not handed over, page after page. Told again until it resolves.
   */
  finished(
    redrive: Redrive,
    counts: RedriveCounts,
    left: AsyncIterable<readonly RedriveItem[]>,
  ): Promise<void>;
}

export interface WindowBounds {
  readonly itemsMax: number;
  readonly bytesMax: number;
}

export interface RedriveWindow {
  readonly items: readonly RedriveItem[];
  /** Where the next window begins; `undefined`: there is none. */
  readonly next: string | undefined;
}

export interface ToldEnd {
  readonly item: RedriveItem;
  readonly state: EndedState;
  readonly error: ItemError | undefined;
}
