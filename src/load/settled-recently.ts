const SLOT_MS = 100;
const SLOTS = 1200;

/** How many records were settled in each tenth of a second of the last two minutes. */
export class SettledRecently {
  readonly #counts = new Float64Array(SLOTS);
  #newest = 0;

  add(nowMs: number, records: number): void {
    this.#moveTo(nowMs);
    const slot = this.#newest % SLOTS;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + records;
  }

  /** In the time from `sinceMs` on, its whole first slot included. At most two minutes back. */
  since(nowMs: number, sinceMs: number): number {
    this.#moveTo(nowMs);
    const first = Math.max(0, Math.floor(sinceMs / SLOT_MS), this.#newest - SLOTS + 1);
    let sum = 0;
    for (let slot = first; slot <= this.#newest; slot++) sum += this.#counts[slot % SLOTS] ?? 0;
    return sum;
  }

  #moveTo(nowMs: number): void {
    const slot = Math.floor(nowMs / SLOT_MS);
    const passed = Math.min(SLOTS, slot - this.#newest);
    for (let step = 1; step <= passed; step++) this.#counts[(slot - passed + step) % SLOTS] = 0;
    if (passed > 0) this.#newest = slot;
  }
}
