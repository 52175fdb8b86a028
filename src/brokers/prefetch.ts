/** Bound of AMQP's field. */
const PREFETCH_MAX = 65_535;
/** Before the size of messages is known. */
const FIRST = 64;
/** Bytes that the broker may send ahead of what is settled, about. */
const BYTES_MAX = 32 * 1024 * 1024;
/** Messages that say how large they are. */
const SEEN_MIN = 32;
/** What the largest message so far counts for from one to the next: a single large one is forgotten in time. */
const SIZE_MEMORY = 0.98;

/** How many messages the broker may send ahead: a protocol that counts messages only, and must not fill the memory. */
export class Prefetch {
  readonly #wanted: number;
  #current: number;
  #largestBytes = 0;
  #seen = 0;

  /** Each batch that may run, and one that waits. */
  constructor({ batchSize, batchesMax }: { readonly batchSize: number; readonly batchesMax: number }) {
    this.#wanted = Math.min(PREFETCH_MAX, batchSize * (batchesMax + 1));
    this.#current = Math.min(this.#wanted, FIRST);
  }

  get current(): number {
    return this.#current;
  }

  saw(bytes: number): void {
    this.#seen++;
    this.#largestBytes = Math.max(bytes, this.#largestBytes * SIZE_MEMORY);
  }

  /** True: the consumer is to begin again with another `current`. */
  adapt(): boolean {
    if (this.#seen < SEEN_MIN) return false;
    const fitting = Math.floor(BYTES_MAX / Math.max(1, this.#largestBytes));
    const target = Math.max(1, Math.min(this.#wanted, fitting));
    // Each change is a pause: small ones are not worth it.
    const isFarOff = target >= this.#current * 2 || target * 2 <= this.#current || target === this.#wanted;
    if (target === this.#current || !isFarOff) return false;
    this.#current = target;
    return true;
  }
}
