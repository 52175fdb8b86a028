import type { EndedState, Redrive, RedriveCounts, RedriveItem } from "../../../src/model/redrive.ts";
import type { RedriveFeed, ToldEnd, WindowBounds } from "../../../src/ports/redrives.ts";
import type { SeededRandom } from "../random.ts";

/** The catalogue of failures: what it feeds, and what it was told. All processes have the same. */
export class SimFeed implements RedriveFeed {
  readonly told = new Map<string, EndedState>();
  readonly left = new Set<string>();
  finishes = 0;
  readonly #items: readonly RedriveItem[];
  readonly #windowMax: number;

  constructor(items: readonly RedriveItem[], random: SeededRandom) {
    this.#items = items;
    this.#windowMax = random.int(1, 40);
  }

  async window(_redrive: Redrive, cursor: string | undefined, { itemsMax }: WindowBounds) {
    const from = Number(cursor ?? 0);
    const to = from + Math.min(itemsMax, this.#windowMax);
    const next = to < this.#items.length ? String(to) : undefined;
    return { items: this.#items.slice(from, to), next };
  }

  async ended(_redrive: Redrive, ends: readonly ToldEnd[]) {
    for (const { item, state } of ends) this.told.set(item.id, state);
  }

  async finished(_redrive: Redrive, _counts: RedriveCounts, left: AsyncIterable<readonly RedriveItem[]>) {
    for await (const items of left) for (const { id } of items) this.left.add(id);
    this.finishes += 1;
  }
}
