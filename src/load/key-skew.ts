import type { SeededRandom } from "./seeded-random.ts";

/**
 * Which key the next record has: key k is drawn with a weight of 1 / (k + 1) ^ skew (Zipf). A skew of 0 treats all keys
 * alike; with 1 the first of 1,000 keys gets an eighth of all records.
 */
export class KeySkew {
  readonly #random: SeededRandom;
  readonly #count: number;
  /** Sums of the weights; none where all keys are alike. */
  readonly #sums: Float64Array | undefined;

  constructor(random: SeededRandom, { count, skew }: { readonly count: number; readonly skew: number }) {
    this.#random = random;
    this.#count = count;
    this.#sums = skew === 0 ? undefined : cumulativeWeights(count, skew);
  }

  /** 0 … count - 1 */
  next(): number {
    const sums = this.#sums;
    if (sums === undefined) return Math.floor(this.#random.next() * this.#count);
    const wanted = this.#random.next() * (sums[this.#count - 1] ?? 1);
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function cumulativeWeights(count: number, skew: number): Float64Array {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let key = 0; key < count; key++) {
    sum += (key + 1) ** -skew;
    sums[key] = sum;
  }
  return sums;
}
