/** Places of keys are multiples of this. */
const GRAIN = 2 ** -32;

/** The highest place that a key may have: what has it moves last. */
export const LAST_PLACE = 1 - GRAIN;

/**
 * How the weights of an alias deal keys out to versions: each key has a place from 0 to below 1, and each version a
 * stretch of places, the alias's own the last one. So a key moves once while one weight only grows.
 */
export class KeySplit {
  /** Where the stretch of each version ends, in the order of their weights; the last end is 1. */
  readonly #ends: readonly number[];
  readonly #salt: string;
  readonly #seed: number;

  constructor(weights: ReadonlyMap<string, number>, salt: string) {
    let end = 0;
    const ends = [...weights.values()].map((weight) => {
      end += weight;
      return Math.min(1, end);
    });
    this.#ends = [...ends, 1];
    this.#salt = salt;
    this.#seed = hashed(FNV_OFFSET, salt);
  }

  /** Versions that keys are dealt out to. */
  get sides(): number {
    return this.#ends.length;
  }

  /** The same in every process: of the key, and of the alias, so that aliases have other keys on their sides. */
  placeOf(key: string): number {
    // plant: the-place-of-a-key-is-not-of-its-alias-alone
    return spread(hashed(this.#seed, key)) * GRAIN;
  }

  /** Which version's stretch the key lies in. */
  sideOf(key: string): number {
    const place = this.placeOf(key);
    // plant: keys-are-not-dealt-out-to-sides
    for (let side = 0; ; side++) if (place < (this.#ends[side] ?? 1)) return side;
  }

  /**
   * The highest place on a side. A batch of its keys goes by it: to another version only when all of its keys do, also
   * where the weights have changed since the batch was cut.
   */
  lastPlaceOf(side: number): number {
    const end = this.#ends[side] ?? 1;
    return Math.max(0, (Math.ceil(end / GRAIN) - 1) * GRAIN);
  }

  /** No key is on another side by `other`. */
  isLike(other: KeySplit | undefined): boolean {
    if (other === undefined || other.#salt !== this.#salt || other.sides !== this.sides) return false;
    return this.#ends.every((end, side) => end === other.#ends[side]);
  }
}

const FNV_OFFSET = 0x811c9dc5;

/** FNV-1a over UTF-16 code units. */
function hashed(seed: number, text: string): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

/** Murmur3's finaliser: FNV alone has the high bits of short keys alike. */
function spread(hash: number): number {
  let bits = hash ^ (hash >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  bits ^= bits >>> 16;
  return bits >>> 0;
}
