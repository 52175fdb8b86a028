import type { ItemState } from "../model/redrive.ts";
import type { FailureIndex, FailureRow, FailureState } from "../ports/failure-index.ts";
import type { ListedItem } from "../ports/parking-store.ts";
import { rowIdOf } from "./failure-names.ts";
import { rowsOfRedrive } from "./redriven-rows.ts";

export type ItemList = (
  redriveId: string,
  state: ItemState,
  after: number,
  max: number,
) => Promise<readonly ListedItem[]>;

/**
 * What became of a record that was given up: nobody needs to do more, somebody has to decide, or all is as before. So
 * it is with what its destination did not have: a file that was moved and a bucket that was not mounted come back.
 */
type Fate = "over" | "uncertain" | "open";

const PAGE_ITEMS = 1_000;

/**
 * A redrive has ended: its rows are done, or open or uncertain as their records are. A row whose records went different
 * ways is done, and what is left of it is a row of its own. May be repeated.
 */
export async function settleRows(redriveId: string, index: FailureIndex, list: ItemList): Promise<void> {
  const fates = await fatesOf(redriveId, list);
  const ids: Record<Fate, string[]> = { over: [], uncertain: [], open: [] };
  for (const row of await rowsOfRedrive(redriveId, index)) {
    if (row.state === "done") continue;
    const fateOf = ({ position }: FailureRow["items"][number]) =>
      fates.get(placeOf(row.shardId, position)) ?? "open";
    const parts = Map.groupBy(row.items, fateOf);
    const [only] = parts.size === 1 ? [...parts.keys()] : [];
    if (only !== undefined) {
      ids[only].push(row.id);
      continue;
    }
    // plant: what-is-left-of-a-failure-is-forgotten
    const left = (["uncertain", "open"] as const).flatMap((fate) => {
      const items = parts.get(fate);
      return items === undefined ? [] : [partOf(row, redriveId, fate, items)];
    });
    await index.add(left);
    ids.over.push(row.id);
  }
  const mine = { from: ["redriving", "uncertain"], ofRedrive: redriveId } as const;
  await index.mark(ids.over, { ...mine, state: "done", redriveId });
  await index.mark(ids.uncertain, { ...mine, state: "uncertain", redriveId });
  await index.mark(ids.open, { ...mine, state: "open", redriveId: undefined });
}

function partOf(
  row: FailureRow,
  redriveId: string,
  fate: Extract<FailureState, "uncertain" | "open">,
  items: FailureRow["items"],
): FailureRow {
  const { redriveId: _, ...rest } = row;
  return {
    ...rest,
    id: rowIdOf(`${redriveId}/${row.id}/${items.map(({ position }) => position).join()}`),
    origin: row.origin ?? row.id,
    items,
    count: items.length,
    state: fate,
    ...(fate === "uncertain" ? { redriveId } : {}),
  };
}

/** By place; what is not there was not redriven. */
async function fatesOf(redriveId: string, list: ItemList): Promise<ReadonlyMap<string, Fate>> {
  const fates = new Map<string, Fate>();
  for (const state of ["done", "failed"] as const)
    for await (const item of all(redriveId, state, list)) fates.set(placeOfItem(item), "over");
  const waitsFor = new Set<string>();
  for (const state of ["started", "uncertain"] as const)
    for await (const item of all(redriveId, state, list)) {
      fates.set(placeOfItem(item), "uncertain");
      if (item.key !== undefined) waitsFor.add(item.key);
    }
  // What waits behind one that is uncertain goes on with it.
  for await (const item of all(redriveId, "held", list))
    fates.set(placeOfItem(item), item.key !== undefined && waitsFor.has(item.key) ? "uncertain" : "open");
  return fates;
}

async function* all(redriveId: string, state: ItemState, list: ItemList): AsyncGenerator<ListedItem> {
  for (let after = 0; ; ) {
    const page = await list(redriveId, state, after, PAGE_ITEMS);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ITEMS) return;
    after = last.seq;
  }
}

function placeOfItem({ shardId, position }: ListedItem): string {
  return placeOf(shardId, position);
}

function placeOf(shardId: string, position: string): string {
  return `${shardId}/${position}`;
}
