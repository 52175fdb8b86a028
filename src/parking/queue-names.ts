import type { RedriveItem } from "../model/redrive.ts";
import type { QueuedItem } from "../ports/parking-store.ts";

/** Items without a key have no order among them: so many are handed over at once, at most. */
const KEYLESS_QUEUES = 16;

/** The queue that an item waits in: one for each key, and some for all that have none. `nameOf`: a digest of a text. */
export function queued(item: RedriveItem, nameOf: (text: string) => string): QueuedItem {
  const { key } = item;
  if (key !== undefined) return { ...item, queue: nameOf(key), isKeyless: false };
  return { ...item, queue: `~${keylessQueue(item)}`, isKeyless: true };
}

/** By its place, so that it is the same however often it is loaded. FNV-1a. */
function keylessQueue({ shardId, position }: RedriveItem): number {
  let hash = 0x811c9dc5;
  for (const text of [shardId, position])
    for (let index = 0; index < text.length; index++)
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % KEYLESS_QUEUES;
}
