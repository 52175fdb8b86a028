import type { Position, StartPoint, StreamRecord } from "../../model/record.ts";

/**
 * Whether what is read of a shard comes in the order of its positions, each once, as the law of sources says. A proxy
 * that answers twice, or an emulator, may break it: what comes again is worked on again, since nobody knows whether it
 * is the same, and costs neither the shard nor a record (principle 5).
 */
export class SourceOrder {
  readonly #compare: (a: Position, b: Position) => number;
  #highest: Position | undefined;
  #isBroken = false;

  constructor(start: StartPoint, compare: (a: Position, b: Position) => number) {
    this.#compare = compare;
    this.restart(start);
  }

  /** Something that was read is at or behind the highest place before it, and may not be settled yet. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The place behind which nothing was read. */
  get highest(): Position | undefined {
    return this.#highest;
  }

  /** To be asked of all that is read, as it comes. Returns how many records are out of order. */
  strays(records: readonly StreamRecord[]): number {
    let strays = 0;
    for (const { position } of records) {
      if (this.#highest !== undefined && this.#compare(position, this.#highest) <= 0) strays++;
      else this.#highest = position;
    }
    if (strays > 0) this.#isBroken = true;
    return strays;
  }

  /** All that was read is settled: what was out of order is done. */
  mend(): void {
    this.#isBroken = false;
  }

  /** What comes now is another log's, or begins at a place of before. */
  restart(start: StartPoint): void {
    this.#highest = start.kind === "after" ? start.position : undefined;
    this.#isBroken = false;
  }
}
