import type { SettledRange } from "../../model/checkpoint.ts";
import type { Position } from "../../model/record.ts";

/** Tells, while a shard is read again in order, which records a checkpoint already calls settled. */
export class SettledSkip {
  #ranges: readonly SettledRange[];
  readonly #compare: (a: Position, b: Position) => number;
  #index = 0;
  /** The newest record read, when it lies in the present range: what follows it there is settled and not yet read. */
  #newestInside: Position | undefined;

  constructor(ranges: readonly SettledRange[], compare: (a: Position, b: Position) => number) {
    this.#ranges = ranges;
    this.#compare = compare;
  }

  /** What the checkpoint called settled and was not read again, or not to its end. */
  get unread(): readonly SettledRange[] {
    return this.#ranges.slice(this.#index);
  }

  /** Keeps the first of these: the others say nothing of the log that is read now. */
  keepUnread(count: number): void {
    this.#ranges = this.#ranges.slice(0, this.#index + count);
    if (count === 0) this.#newestInside = undefined;
  }

  /** To be asked once for each record, in shard order. */
  isSettled(position: Position): boolean {
    this.#newestInside = undefined;
    for (let range = this.#ranges[this.#index]; range !== undefined; range = this.#ranges[this.#index]) {
      if (this.#compare(position, range.to) > 0) {
        this.#index++;
        continue;
      }
      if (this.#compare(position, range.from) < 0) return false;
      this.#newestInside = position;
      return true;
    }
    return false;
  }

  /**
   * `read`, the settled ranges among the records read so far, and behind them what the checkpoint called settled and is
   * not read again yet: left out of a new checkpoint, it would be repeated after the next restart.
   */
  withUnread(read: readonly SettledRange[]): readonly SettledRange[] {
    const [present, ...later] = this.#ranges.slice(this.#index);
    if (present === undefined) return read;
    if (this.#newestInside === undefined) return [...read, present, ...later];
    // The newest record is settled, so the last range read ends with it, unless the low-water mark has passed it.
    const last = read.at(-1);
    const joined = { from: last?.from ?? this.#newestInside, to: present.to };
    return [...read.slice(0, -1), joined, ...later];
  }
}
