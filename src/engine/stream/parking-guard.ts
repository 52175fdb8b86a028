/** So many keys of a mapping are parked without a success between them, and no more. */
const PARKS_MAX = 3;

/**
 * Tells poison from an outage: where key after key fails to the end and nothing succeeds, it is not the keys. Then the
 * lanes wait for their function as they do without parking, until something succeeds. One for a mapping in a process.
 */
export class ParkingGuard {
  #parks = 0;

  /** Nothing more is to be parked until something succeeds. */
  get isShut(): boolean {
    // plant: an-outage-parks-key-after-key
    return this.#parks >= PARKS_MAX;
  }

  parked(): void {
    this.#parks += 1;
  }

  succeeded(): void {
    // plant: the-guard-of-parking-never-opens-again
    this.#parks = 0;
  }
}
