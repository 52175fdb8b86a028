import type { Redrive, RedriveItem } from "../model/redrive.ts";
import type { RedriveContext } from "./redrive-context.ts";

const TOLD_AT_ONCE = 500;
const LEFT_AT_ONCE = { itemsMax: 1_000, bytesMax: 8 * 1024 * 1024 } as const;

/**
 * Tells the feed of ends, each after it is durable, until it knows of all. Rejects when the feed or the store fails.
 */
export async function tellEnds({ store, feed }: RedriveContext, redrive: Redrive): Promise<void> {
  for (;;) {
    const ends = await store.untold(redrive.id, TOLD_AT_ONCE);
    if (ends.length === 0) return;
    const told = ends.map(({ seq: _seq, state, error, ...item }) => ({ item, state, error }));
    // plant: the-feed-is-forgotten-before-it-has-heard
    await feed.ended(redrive, told);
    await store.told(redrive.id, ends);
  }
}

/** Tells the feed of the end of a redrive that nothing of can go on. `false`: some of it may. */
export async function conclude(context: RedriveContext, redrive: Redrive): Promise<boolean> {
  const { store, feed } = context;
  const counts = await store.counts(redrive.id);
  if (counts === undefined || counts.started > 0) return false;
  // Told already, perhaps by another drainer: what is left of it has no elements any more.
  const now = await store.get(redrive.id);
  if (now === undefined || now.isConcluded) return true;
  if (redrive.state === "done" && counts.uncertain > 0) return false;
  await feed.finished(now, counts, leftOf(context, redrive.id));
  await store.conclude(redrive.id);
  return true;
}

async function* leftOf({ store }: RedriveContext, id: string): AsyncGenerator<readonly RedriveItem[]> {
  for (let after = 0; ; ) {
    const items = await store.left(id, after, LEFT_AT_ONCE.itemsMax, LEFT_AT_ONCE.bytesMax);
    const last = items.at(-1);
    if (last === undefined) return;
    yield items.map(({ seq: _seq, requestId: _requestId, ...item }) => item);
    after = last.seq;
  }
}
