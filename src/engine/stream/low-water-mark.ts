import type { SettledRange } from "../../model/checkpoint.ts";
import { assertInvariant } from "../../model/errors.ts";
import type { Position, StartPoint } from "../../model/record.ts";

/** Small, since most shards of a large stream are idle: it doubles whenever more are open. A power of two. */
const CAPACITY_MIN = 8;

/** What a place of the ring is. */
const OPEN = 0;
const SETTLED = 1;
const RUN = 2;

/**
 * Which records of a shard are settled. Records get ordinals in reading order; the mark is the highest place below
 * which all are settled. What is settled ahead of it is kept as ranges, so that a restart repeats only what was open.
 *
 * A ring of positions and flags, since every record passes here twice: no allocation per record. What is settled while
 * it is the newest, as all is that a filter drops, joins what is settled before it: a run of it costs one place,
 * however long.
 */
export class LowWaterMark {
  #resume: StartPoint;
  #low = 0;
  #next = 0;
  #positions: Position[] = new Array<Position>(CAPACITY_MIN).fill("");
  #born = new Float64Array(CAPACITY_MIN);
  #settled = new Uint8Array(CAPACITY_MIN);
  /** The last position of each run, and how many records it is. */
  #ends: Position[] = new Array<Position>(CAPACITY_MIN).fill("");
  #counts = new Uint32Array(CAPACITY_MIN);
  #settledAhead = 0;
  /** Places that are runs, and the records in them. */
  #runs = 0;
  #runRecords = 0;

  constructor(start: StartPoint) {
    this.#resume = start;
  }

  /**
   * Adds the next record of the shard, open, with the monotonic time of its arrival, if that is known. Returns its
   * ordinal.
   */
  append(position: Position, bornMs: number | undefined): number {
    if (this.#next - this.#low === this.#settled.length) this.#grow();
    const ordinal = this.#next++;
    const slot = ordinal & (this.#settled.length - 1);
    this.#positions[slot] = position;
    this.#born[slot] = bornMs ?? Number.NaN;
    this.#settled[slot] = 0;
    return ordinal;
  }

  settle(ordinal: number): void {
    const mask = this.#settled.length - 1;
    assertInvariant(ordinal >= this.#low && ordinal < this.#next, "an ordinal is settled that is not open");
    assertInvariant(this.#settled[ordinal & mask] === 0, "an ordinal is settled twice");
    if (ordinal === this.#next - 1) this.#settleNewest(ordinal);
    else {
      this.#settled[ordinal & mask] = SETTLED;
      this.#settledAhead++;
    }
    if (ordinal !== this.#low) return;
    // plant: the-low-water-mark-passes-open-records
    while (this.#low < this.#next && this.#settled[this.#low & mask] !== OPEN) this.#passLowest();
    // plant: the-low-water-mark-goes-back
    this.#resume = { kind: "after", position: this.#endOf(this.#low - 1) };
  }

  #settleNewest(ordinal: number): void {
    const mask = this.#settled.length - 1;
    const position = this.#positionOf(ordinal);
    this.#runRecords++;
    const before = (ordinal - 1) & mask;
    if (ordinal > this.#low && this.#settled[before] === RUN) {
      this.#ends[before] = position;
      this.#counts[before] = (this.#counts[before] ?? 0) + 1;
      this.#next--;
      return;
    }
    this.#settled[ordinal & mask] = RUN;
    this.#ends[ordinal & mask] = position;
    this.#counts[ordinal & mask] = 1;
    this.#runs++;
  }

  #passLowest(): void {
    const slot = this.#low++ & (this.#settled.length - 1);
    if (this.#settled[slot] === SETTLED) {
      this.#settledAhead--;
      return;
    }
    this.#runs--;
    this.#runRecords -= this.#counts[slot] ?? 0;
  }

  /** The positions that follow belong to another log, or repeat some: nothing may be open. */
  restart(start: StartPoint): void {
    assertInvariant(this.span === 0, "the mark is moved while records are open");
    this.#resume = start;
  }

  /** Behind this all is to be read again, but for the ranges. */
  get resume(): StartPoint {
    return this.#resume;
  }

  /** Monotonic time of the first open record's arrival; `undefined`: all are settled, or nobody knows it. */
  get oldestBornMs(): number | undefined {
    const bornMs = this.#born[this.#low & (this.#settled.length - 1)] ?? Number.NaN;
    return this.span === 0 || Number.isNaN(bornMs) ? undefined : bornMs;
  }

  /** Records from the mark to the newest read one, settled ones between them included. */
  get span(): number {
    return this.places + this.#runRecords;
  }

  /** The same without those that were settled while they were the newest: they hold next to no memory. */
  get places(): number {
    return this.#next - this.#low - this.#runs;
  }

  /** Records settled ahead of the mark. */
  get settledAhead(): number {
    return this.#settledAhead + this.#runRecords;
  }

  /** At most one more than there are open records, in shard order. */
  settledRanges(): SettledRange[] {
    const ranges: SettledRange[] = [];
    if (this.settledAhead === 0) return ranges;
    const mask = this.#settled.length - 1;
    let from = -1;
    for (let ordinal = this.#low; ordinal <= this.#next; ordinal++) {
      const isSettled = ordinal < this.#next && this.#settled[ordinal & mask] !== OPEN;
      if (isSettled && from < 0) from = ordinal;
      if (!isSettled && from >= 0) {
        // plant: a-settled-range-is-one-record-too-long
        ranges.push({ from: this.#positionOf(from), to: this.#endOf(ordinal - 1) });
        from = -1;
      }
    }
    return ranges;
  }

  #positionOf(ordinal: number): Position {
    const position = this.#positions[ordinal & (this.#settled.length - 1)];
    assertInvariant(position !== undefined && position !== "", "an ordinal has no position");
    return position;
  }

  /** The last position of a place that is settled. */
  #endOf(ordinal: number): Position {
    const slot = ordinal & (this.#settled.length - 1);
    const end = this.#ends[slot];
    return this.#settled[slot] === RUN && end !== undefined ? end : this.#positionOf(ordinal);
  }

  #grow(): void {
    const oldMask = this.#settled.length - 1;
    const capacity = this.#settled.length * 2;
    const positions = new Array<Position>(capacity).fill("");
    const born = new Float64Array(capacity);
    const settled = new Uint8Array(capacity);
    const ends = new Array<Position>(capacity).fill("");
    const counts = new Uint32Array(capacity);
    for (let ordinal = this.#low; ordinal < this.#next; ordinal++) {
      positions[ordinal & (capacity - 1)] = this.#positions[ordinal & oldMask] ?? "";
      born[ordinal & (capacity - 1)] = this.#born[ordinal & oldMask] ?? 0;
      settled[ordinal & (capacity - 1)] = this.#settled[ordinal & oldMask] ?? 0;
      ends[ordinal & (capacity - 1)] = this.#ends[ordinal & oldMask] ?? "";
      counts[ordinal & (capacity - 1)] = this.#counts[ordinal & oldMask] ?? 0;
    }
    this.#positions = positions;
    this.#born = born;
    this.#settled = settled;
    this.#ends = ends;
    this.#counts = counts;
  }
}
