/**
 * Which records of one key are settled: all below a mark, and ranges above it. Memory grows with the gaps between them,
 * not with the records.
 */
export class SettledIndexes {
  #below = 0;
  /** Sorted, apart from one another, all above `below`: from (included) and to (excluded) in turn. */
  readonly #ranges: number[] = [];

  /** All of a lower index are settled; this one is not. */
  get below(): number {
    return this.#below;
  }

  get ranges(): number {
    return this.#ranges.length / 2;
  }

  has(index: number): boolean {
    if (index < this.#below) return true;
    for (let at = this.#ranges.length - 2; at >= 0; at -= 2) {
      if (index >= (this.#ranges[at] ?? 0)) return index < (this.#ranges[at + 1] ?? 0);
    }
    return false;
  }

  /** False when it was settled already. */
  add(index: number): boolean {
    if (this.has(index)) return false;
    if (index === this.#below) {
      this.#below += 1;
      if (this.#ranges[0] === this.#below) this.#below = this.#ranges.splice(0, 2)[1] ?? this.#below;
      return true;
    }
    let at = this.#ranges.length;
    while (at > 0 && (this.#ranges[at - 2] ?? 0) > index) at -= 2;
    const joinsLeft = at > 0 && this.#ranges[at - 1] === index;
    const joinsRight = this.#ranges[at] === index + 1;
    if (joinsLeft && joinsRight) this.#ranges.splice(at - 1, 2);
    else if (joinsLeft) this.#ranges[at - 1] = index + 1;
    else if (joinsRight) this.#ranges[at] = index;
    else this.#ranges.splice(at, 0, index, index + 1);
    return true;
  }

  /** How many below `end` are not settled. */
  missing(end: number): number {
    let missing = Math.max(0, end - this.#below);
    for (let at = 0; at < this.#ranges.length; at += 2) {
      const from = Math.min(end, this.#ranges[at] ?? 0);
      missing -= Math.min(end, this.#ranges[at + 1] ?? 0) - from;
    }
    return missing;
  }
}
