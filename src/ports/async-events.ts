import type { NewAsyncItem } from "../model/async-item.ts";
import type { CursorMove } from "./async-queue.ts";

/**
 * The door of asynchronous events: whoever accepts one from outside, or makes one, hands it over here.
 *
 * Laws:
 * - `accepted` is answered when the items are durable: none of them is lost from there on.
 * - Otherwise nothing was put, or the call rejects with `ERR_MILLRACE_STORE_UNAVAILABLE` and nobody knows.
 */
export interface AsyncEvents {
  accept(items: readonly NewAsyncItem[], cursor?: CursorMove): Promise<Accepted>;
  /** Where cursors stand whose names begin with the prefix; of those that are not there, none has moved yet. */
  cursors(prefix: string): Promise<ReadonlyMap<string, string>>;
}

/** `full`: a lane has as many items as it may, or all together as many bytes. `stale`: the cursor stood elsewhere. */
export type Accepted = "accepted" | "stale" | "full";
