/** Chance that is the same in every run of a scenario: a 32-bit state, mixed well (mulberry32's constants). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ x < 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** Mean 0, deviation 1 (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}

/** A generator of its own for each use, so that one more draw here does not change what is drawn there. */
export function seededRandom(seed: number, use: string): SeededRandom {
  let mixed = seed >>> 0;
  for (let index = 0; index < use.length; index++) {
    mixed = Math.imul(mixed ^ use.charCodeAt(index), 0x01000193) >>> 0;
  }
  return new SeededRandom(mixed);
}
