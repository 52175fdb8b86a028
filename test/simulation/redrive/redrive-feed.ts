import type { Redrive, RedriveCounts, RedriveItem } from "../../../src/model/redrive.ts";
import type { RedriveFeed, ToldEnd, WindowBounds } from "../../../src/ports/redrives.ts";
import type { SeededRandom } from "../random.ts";

/** The catalogue of failures, as all processes have it. */
export class SimFeed implements RedriveFeed {
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

  async loaded() {}

  async ended(_redrive: Redrive, _ends: readonly ToldEnd[]) {}

  async finished(_redrive: Redrive, _counts: RedriveCounts, left: AsyncIterable<readonly RedriveItem[]>) {
    for await (const _items of left) {
      // Looked at, as the real one does.
    }
  }
}
