import type { NewAsyncItem } from "../model/async-item.ts";

/** A record of a destination holds an event and a response, 1 MiB and 6 MiB, and what is said of them. */
export const ASYNC_BODY_BYTES_MAX = 16 * 1024 * 1024;

/** What an item is counted as: its body, and what is kept beside it. */
export function bytesOf({ body }: Pick<NewAsyncItem, "body">): number {
  return body.length + ITEM_BYTES;
}

const ITEM_BYTES = 512;
