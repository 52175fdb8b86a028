import type { SettledRange } from "../../model/checkpoint.ts";
import type { Position } from "../../model/record.ts";

/** Tells, while a shard is read again in order, which records a checkpoint already calls settled. */
export class SettledSkip {
  readonly #ranges: readonly SettledRange[];
  readonly #compare: (a: Position, b: Position) => number;
  #index = 0;

  constructor(ranges: readonly SettledRange[], compare: (a: Position, b: Position) => number) {
    this.#ranges = ranges;
    this.#compare = compare;
  }

  /** To be asked once for each record, in shard order. */
  isSettled(position: Position): boolean {
    for (let range = this.#ranges[this.#index]; range !== undefined; range = this.#ranges[this.#index]) {
      if (this.#compare(position, range.to) > 0) this.#index++;
      else return this.#compare(position, range.from) >= 0;
    }
    return false;
  }
}
