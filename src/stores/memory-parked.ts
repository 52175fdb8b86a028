import type { ItemError, ItemState, Redrive } from "../model/redrive.ts";
import type { ParkedItem, QueuedItem } from "../ports/parking-store.ts";

export interface Entry {
  readonly item: QueuedItem;
  readonly seq: number;
  element: Uint8Array | undefined;
  state: ItemState;
  requestId: string | undefined;
  attempt: number;
  error: ItemError | undefined;
  isTold: boolean;
}

export interface Parked {
  readonly made: string;
  redrive: Redrive;
  lastSeq: number;
  readonly entries: Map<string, Entry>;
  readonly bySeq: Map<number, Entry>;
}

export const ENDS: readonly ItemState[] = ["done", "failed", "uncertain", "gone"];
const NO_BYTES = new Uint8Array();

export function plain({ queue: _queue, isKeyless: _isKeyless, ...item }: QueuedItem) {
  return item;
}

export function put({ entries, bySeq }: Parked, item: QueuedItem, seq: number): void {
  // plant: what-is-loaded-twice-is-there-twice
  if (entries.has(item.id)) return;
  const { element } = item;
  const state = element === undefined ? "gone" : "waiting";
  const entry: Entry = {
    item,
    seq,
    element,
    state,
    requestId: undefined,
    attempt: 0,
    error: undefined,
    isTold: false,
  };
  entries.set(item.id, entry);
  bySeq.set(seq, entry);
}

export function fitting(
  entries: readonly Entry[],
  itemsMax: number,
  bytesMax: number,
): readonly ParkedItem[] {
  let bytes = 0;
  return entries
    .slice(0, itemsMax)
    .filter(({ element = NO_BYTES }, index) => {
      bytes += element.length;
      return index === 0 || bytes <= bytesMax;
    })
    .map(({ item, seq, element = NO_BYTES, requestId }) => ({ ...plain(item), seq, element, requestId }));
}

export function isStartable(entry: Entry, attempt: number): boolean {
  if (entry.state === "started") return entry.attempt <= attempt;
  return entry.state === "waiting" && entry.attempt < attempt;
}

export function isOpen({ state, isTold }: Entry): boolean {
  return state === "waiting" || state === "started" || (!isTold && ENDS.includes(state));
}

export function holdBehind({ bySeq }: Parked): void {
  const blocked = new Set<string>();
  for (const { state, item } of bySeq.values())
    if (state === "failed" || state === "uncertain") blocked.add(item.queue);
  for (const entry of bySeq.values())
    if (entry.state === "waiting" && !entry.item.isKeyless && blocked.has(entry.item.queue))
      entry.state = "held";
}
