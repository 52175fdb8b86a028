import type { ItemState, RedriveItem } from "../../../src/model/redrive.ts";
import type { ParkingStore } from "../../../src/ports/parking-store.ts";
import type { RedriveStatus } from "../../../src/ports/redrives.ts";
import type { FeedLog } from "./fed-world.ts";
import type { RedriveLedger } from "./redrive-ledger.ts";

export interface EndedWorld {
  readonly status: RedriveStatus;
  readonly items: readonly RedriveItem[];
  readonly store: ParkingStore;
  readonly feed: FeedLog;
  readonly ledger: RedriveLedger;
}

const STATES = ["waiting", "started", "done", "failed", "held", "uncertain", "gone"] as const;

/** R1: each item has come to one end, which is true, and which the catalogue knows; counts add up. */
export async function checkEnd(world: EndedWorld): Promise<readonly string[]> {
  const { status, items, store, feed } = world;
  const found: string[] = [];
  const { counts, state, isConcluded } = status;
  if (!isConcluded || state !== "done")
    found.push(`R1: it is ${state}, and ${isConcluded ? "" : "not "}concluded`);
  if (counts.loaded !== items.length || counts.selected !== items.length)
    found.push(`R1: ${counts.loaded} of ${items.length} items are loaded`);
  if (counts.waiting + counts.started > 0)
    found.push(`R1: ${counts.waiting + counts.started} items have no end`);
  const states = new Map<string, ItemState>();
  for (const each of STATES)
    for (const { id } of await store.items(status.id, each, 0, 10_000)) states.set(id, each);
  for (const item of items) found.push(...checkItem(item, states, world));
  if (feed.finishes === 0) found.push("R1: the catalogue does not know that it is over");
  return found;
}

function checkItem(
  item: RedriveItem,
  states: ReadonlyMap<string, ItemState>,
  { items, feed, ledger }: EndedWorld,
): readonly string[] {
  const { id, key, element } = item;
  const state = states.get(id);
  const told = feed.told.get(id);
  const found: string[] = [];
  if (state === undefined) return [`R1: ${id} is nowhere`];
  if ((state === "gone") !== (element === undefined)) found.push(`R1: ${id} is ${state}`);
  if (state === "done" && !ledger.succeeded.has(id))
    found.push(`R1: ${id} is done, and no call with it succeeded`);
  const seen = ledger.calls.some((call) => call.items.includes(item));
  if ((state === "failed" || state === "uncertain") && !seen)
    found.push(`R1: ${id} is ${state}, and was never tried`);
  if (state === "held") {
    const before = items.slice(0, items.indexOf(item)).filter((each) => each.key === key);
    if (!before.some((each) => ["failed", "uncertain"].includes(states.get(each.id) ?? "")))
      found.push(`R1: ${id} is held behind nothing`);
    if (told === undefined && !feed.left.has(id))
      found.push(`R1: the catalogue does not know that ${id} is left`);
  } else if (told !== state) found.push(`R1: ${id} is ${state}, and the catalogue was told ${told}`);
  return found;
}
