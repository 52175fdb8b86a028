/** What was not used for so long is not wanted any more. */
const SURPLUS_MS = 10_000;

/** The most calls that ran and waited at once of late. */
export class RecentNeed {
  wanted = 0;
  #peak = 0;
  #sinceMs = 0;

  note(calls: number): void {
    if (calls > this.#peak) this.#peak = calls;
  }

  look(nowMs: number, calls: number): number {
    if (this.#peak < this.wanted && nowMs - this.#sinceMs < SURPLUS_MS) return this.wanted;
    this.wanted = this.#peak;
    this.#peak = calls;
    this.#sinceMs = nowMs;
    return this.wanted;
  }
}
