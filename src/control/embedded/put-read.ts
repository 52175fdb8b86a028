import type { PutOutcome } from "../../ports/embedded-sources.ts";
import type { ReadItem } from "./item-text.ts";

/** Puts in what could be read; what could not is refused alone. One outcome an item, in order. */
export async function putRead<Item>(
  read: readonly ReadItem<Item>[],
  put: (items: readonly Item[]) => Promise<readonly PutOutcome[]>,
): Promise<readonly PutOutcome[]> {
  const outcomes = await put(read.flatMap((each) => ("item" in each ? [each.item] : [])));
  let next = 0;
  return read.map((each): PutOutcome => {
    if ("reason" in each) return { kind: "refused", reason: each.reason };
    return outcomes[next++] ?? { kind: "unknown" };
  });
}
