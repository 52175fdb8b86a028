import type { Redrive } from "../model/redrive.ts";
import { queued } from "./queue-names.ts";
import type { RedriveContext } from "./redrive-context.ts";
import type { RedriveNotes } from "./redrive-reasons.ts";

/** What a redrive may have in the store that waits, and what is fed at once. */
export const WINDOW = { itemsMax: 10_000, bytesMax: 64 * 1024 * 1024 } as const;

/**
 * Loads the next window of a redrive, where less than half of one waits. `undefined`: there is room for none, or none
 * just now. Rejects when the feed or the store fails.
 */
export async function loadWindow(
  { store, feed, drainer, digest, onFenced }: RedriveContext,
  redrive: Redrive,
  notes: RedriveNotes,
): Promise<"loaded" | "stale" | "fenced" | undefined> {
  const counts = await store.counts(redrive.id);
  if (counts === undefined || counts.waiting > WINDOW.itemsMax / 2) return undefined;
  notes.does("feeding");
  const fed = await feed.window(redrive, redrive.cursor, WINDOW);
  if (fed === undefined) return undefined;
  notes.does("writing");
  const { items, next } = fed;
  const window = { seen: redrive.cursor, next, items: items.map((item) => queued(item, digest)) };
  const answer = await store.load(drainer, redrive.id, window);
  if (answer === "fenced") onFenced();
  if (answer === "loaded") await feed.loaded(redrive, next);
  return answer;
}
