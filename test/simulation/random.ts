import type { Random } from "../../src/ports/random.ts";

/**
 * Seeded chance (sfc32). Forked by label, so that one more draw in one part of the world shifts nothing in another, and
 * a shrunk scenario still resembles the one that failed.
 */
export class SeededRandom implements Random {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#a = this.#seed ^ 0x9e3779b9;
    this.#b = Math.imul(this.#seed, 0x85ebca6b) ^ 0x243f6a88;
    this.#c = Math.imul(this.#seed ^ (this.#seed >>> 15), 0xc2b2ae35) ^ 0xb7e15162;
    for (let round = 0; round < 12; round++) this.#next32();
  }

  /** The same label gives the same stream, whatever was drawn before. */
  fork(label: string): SeededRandom {
    let hash = this.#seed ^ 0x811c9dc5;
    for (let index = 0; index < label.length; index++) {
      hash = Math.imul(hash ^ label.charCodeAt(index), 0x01000193);
      hash ^= hash >>> 13;
    }
    return new SeededRandom(hash);
  }

  next(): number {
    return this.#next32() / 0x1_0000_0000;
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new RangeError("cannot pick from an empty list");
    return item;
  }

  uuid(): string {
    const head = hex(this.#next32());
    const middle = hex(this.#next32());
    const tail = hex(this.#next32());
    return `${head}-${middle.slice(0, 4)}-4${middle.slice(5)}-8${tail.slice(1, 4)}-${hex(this.#next32())}${tail.slice(4)}`;
  }

  #next32(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(value: number): string {
  return `${HEX[value >>> 24]}${HEX[(value >>> 16) & 255]}${HEX[(value >>> 8) & 255]}${HEX[value & 255]}`;
}
