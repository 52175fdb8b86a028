import type { AttemptedRecord, LedgerAttempt, LedgerReport } from "./ledger-report.ts";
import { LedgerViolations } from "./ledger-violations.ts";
import { keyName, type RecordIdentity } from "./payload.ts";
import { SettledIndexes } from "./settled-indexes.ts";
import { SettledRecently } from "./settled-recently.ts";

export interface LedgerOptions {
  readonly run: string;
  /** Streams and FIFO queues keep order per key; standard queues promise none. */
  readonly isOrdered: boolean;
}

interface KeyState {
  next: number;
  /** Succeeded, discarded, or known never to come. */
  readonly settled: SettledIndexes;
  readonly started: SettledIndexes;
}

/**
 * Judges from the function's side what the engine promises: nothing lost, in order per key, duplicates within their
 * bound, nothing that was never sent. It keeps marks and ranges per key, not records, so an hour at any rate costs no
 * more than a minute.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #keys = new Map<number, KeyState>();
  /** Never to come, or perhaps not: nothing is asked of them. `KEY/INDEX`. */
  readonly #excused = new Set<string>();
  /**
   * Not settled when a later record of their key was started: fine if they were given up, a breach if they come again.
   */
  readonly #overtaken = new Set<string>();
  /** Those of them that came again, counted as breaches, and have not succeeded yet. */
  readonly #late = new Set<string>();
  readonly #recently = new SettledRecently();
  readonly #violations = new LedgerViolations();
  #generated = 0;
  #accepted = 0;
  #refused = 0;
  #unknown = 0;
  #delivered = 0;
  #succeeded = 0;
  #discarded = 0;
  #attempted = 0;
  #inFlight = 0;
  #duplicates = 0;
  #duplicatesAllowed = 0;
  #duplicatesLeft = 0;
  #foreign = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Generated and neither refused nor settled yet. */
  get waiting(): number {
    const settled = this.#succeeded + this.#discarded + this.#overtaken.size;
    return this.#generated - this.#refused - this.#unknown - settled;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get delivered(): number {
    return this.#delivered;
  }

  get violated(): number {
    return this.#violations.total;
  }

  /** Ranges kept because of gaps, over all keys: what the ledger costs beyond a few marks per key. */
  get ranges(): number {
    let ranges = 0;
    for (const { settled, started } of this.#keys.values()) ranges += settled.ranges + started.ranges;
    return ranges;
  }

  /** The next record of a key: its index. */
  generate(key: number): number {
    this.#generated += 1;
    const state = this.#keyState(key);
    state.next += 1;
    return state.next - 1;
  }

  /** What the source answered to a record. One that it did not take for sure is excused from everything. */
  sent(key: number, index: number, outcome: "accepted" | "refused" | "unknown"): void {
    if (outcome === "accepted") {
      this.#accepted += 1;
      return;
    }
    const state = this.#keyState(key);
    if (outcome === "refused") this.#refused += 1;
    else this.#unknown += 1;
    // It may have reached the function before its sender learnt that the answer was lost.
    const hasCome = state.started.has(index);
    if (outcome === "unknown" && hasCome) {
      this.#unknown -= 1;
      this.#accepted += 1;
      return;
    }
    this.#overtaken.delete(place(key, index));
    this.#excused.add(place(key, index));
    state.settled.add(index);
  }

  /**
   * An invocation begins with these records, in the event's order; `undefined` stands for what no load test has sent.
   */
  begin(records: readonly (RecordIdentity | undefined)[]): LedgerAttempt {
    const attempted: AttemptedRecord[] = [];
    const fresh: RecordIdentity[] = [];
    const lastOfKey = new Map<number, number>();
    for (const [position, record] of records.entries()) {
      if (record?.run !== this.#options.run) {
        this.#foreign += 1;
        continue;
      }
      const { key, index } = record;
      const state = this.#keys.get(key);
      if (state === undefined || index >= state.next) {
        this.#violations.add("phantoms", `${keyName(key)} record ${index} came and was never sent`);
        continue;
      }
      this.#attempted += 1;
      if (this.#excused.has(place(key, index))) continue;
      if (this.#options.isOrdered) this.#checkOrder(state, key, index, lastOfKey);
      const isRepeated = state.settled.has(index) && !this.#late.has(place(key, index));
      if (isRepeated) this.#countDuplicate(key, index);
      if (state.started.add(index)) {
        this.#delivered += 1;
        fresh.push(record);
      }
      attempted.push({ key, index, place: position, isRepeated });
    }
    this.#inFlight += attempted.length;
    return { records: attempted, fresh };
  }

  /**
   * The invocation has ended, and these of its records succeeded. `isUncertain`: the engine may not have got the answer
   * in time, and may try them again.
   */
  end(
    attempt: LedgerAttempt,
    isSettled: (place: number) => boolean,
    nowMs: number,
    isUncertain = false,
  ): void {
    this.#inFlight -= attempt.records.length;
    let settled = 0;
    for (const { key, index, place: position, isRepeated } of attempt.records) {
      if (!isSettled(position)) continue;
      settled += 1;
      const isFirst = this.#keyState(key).settled.add(index);
      if (this.#late.delete(place(key, index)) || isFirst) this.#succeeded += 1;
      // Two attempts ran at once and both succeeded.
      else if (!isRepeated) this.#countDuplicate(key, index);
    }
    this.#recently.add(nowMs, settled);
    if (isUncertain) this.#allowDuplicates(settled);
  }

  /**
   * The engine was killed: what was in flight, and what was settled since its last checkpoint, comes again. Until when
   * that checkpoint reached is not seen from here, so the longest time between two is given.
   */
  crashed(nowMs: number, checkpointAgeMs: number): void {
    this.#allowDuplicates(this.#inFlight + this.#recently.since(nowMs, nowMs - checkpointAgeMs));
  }

  /** The failure destination has it. */
  discarded({ run, key, index }: RecordIdentity): void {
    if (run !== this.#options.run) return;
    const isFirst = this.#keyState(key).settled.add(index);
    // A delivery may be repeated, and a batch that is given up may hold what has succeeded.
    if (this.#overtaken.delete(place(key, index)) || isFirst) this.#discarded += 1;
  }

  /** Call it when nothing comes any more: what is not settled now is lost. */
  report(): LedgerReport {
    const violations = new LedgerViolations(this.#violations);
    for (const [key, { settled, next }] of this.#keys) {
      const missing = settled.missing(next);
      if (missing > 0) {
        violations.add("lost", `${keyName(key)} record ${settled.below} never succeeded`, missing);
      }
    }
    for (const one of this.#overtaken) {
      violations.add("lost", `key-${one.replace("/", " record ")} was passed over and never came again`);
    }
    return {
      generated: this.#generated,
      accepted: this.#accepted,
      refused: this.#refused,
      unknown: this.#unknown,
      delivered: this.#delivered,
      succeeded: this.#succeeded,
      discarded: this.#discarded,
      attempted: this.#attempted,
      duplicates: this.#duplicates,
      duplicatesAllowed: this.#duplicatesAllowed,
      foreign: this.#foreign,
      violations: violations.counts(),
      examples: violations.examples,
    };
  }

  /** Every earlier record of the key must be settled, or stand before this one in the same event. */
  #checkOrder(state: KeyState, key: number, index: number, lastOfKey: Map<number, number>): void {
    const last = lastOfKey.get(key);
    lastOfKey.set(key, Math.max(index, last ?? index));
    const one = place(key, index);
    if (this.#overtaken.delete(one)) {
      this.#late.add(one);
      this.#violations.add(
        "outOfOrder",
        `${keyName(key)} record ${index} came after a later one had started`,
      );
      return;
    }
    if (last !== undefined && last >= index) {
      this.#violations.add("outOfOrder", `${keyName(key)} record ${index} stood behind ${last} in one event`);
      return;
    }
    for (let earlier = Math.max(state.settled.below, (last ?? -1) + 1); earlier < index; earlier++) {
      if (!state.settled.has(earlier)) this.#overtake(state, key, earlier, index);
    }
  }

  #overtake(state: KeyState, key: number, earlier: number, index: number): void {
    // So that each is found once, however many later records come.
    state.settled.add(earlier);
    if (this.#overtaken.size < OVERTAKEN_MAX) {
      this.#overtaken.add(place(key, earlier));
      return;
    }
    const what = `${keyName(key)} record ${index} was started before ${earlier} was settled`;
    this.#violations.add("outOfOrder", what);
  }

  #countDuplicate(key: number, index: number): void {
    this.#duplicates += 1;
    if (this.#duplicatesLeft > 0) {
      this.#duplicatesLeft -= 1;
      return;
    }
    this.#violations.add(
      "duplicatesBeyondBound",
      `${keyName(key)} record ${index} came again after it had succeeded`,
    );
  }

  #allowDuplicates(records: number): void {
    this.#duplicatesAllowed += records;
    this.#duplicatesLeft += records;
  }

  #keyState(key: number): KeyState {
    let state = this.#keys.get(key);
    if (state === undefined) {
      state = { next: 0, settled: new SettledIndexes(), started: new SettledIndexes() };
      this.#keys.set(key, state);
    }
    return state;
  }
}

/** More passed-over records than so many are not kept until they are seen to be given up: they are breaches at once. */
const OVERTAKEN_MAX = 100_000;

function place(key: number, index: number): string {
  return `${key}/${index}`;
}
