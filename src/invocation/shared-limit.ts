import type { RepeatedLines } from "../lib/repeated-lines.ts";
import { describeError } from "../model/errors.ts";
import type { Cell, CellStore } from "../ports/cell-store.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { Membership } from "../ports/membership.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { type Allotment, allot, readAllotment, writeAllotment } from "./allotment.ts";
import type { LimitedCalls, SharedLimitStanding } from "./limited-calls.ts";
import { RecentNeed } from "./recent-need.ts";

/** Writes of one process to one cell are so far apart, at least. */
const WRITE_PAUSE_MS = 1_000;
/** Where more processes want a call than may run, each has its turn for so long. */
const TURN_MS = 5_000;
/** Who has not seen the cell for so long starts nothing: its limit may be lower by now. */
const SEEN_MS_MAX = 10_000;
/** Swaps of one look, when others write the cell at the same time; and the pause after them. */
const TRIES = 3;
const OVERTAKEN_MS = 100;
/** How soon a process that is cut off sees that it is not any more. It asks itself, not the store. */
const CUT_OFF_LOOK_MS = 200;

export interface SharedLimitOptions {
  readonly cells: CellStore;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly lines: RepeatedLines;
  /** The limit has something to look for. */
  onActive(): void;
}

/** What a look has found. */
export interface CellSight {
  /** `undefined`: it is not there. */
  readonly cell: Cell | undefined;
  /** Before the store was asked. */
  readonly askedMs: number;
}

/** A swap of which nobody knows whether it took effect: while the cell is at this revision it still may. */
interface Pending {
  readonly revision: number;
  readonly granted: number;
}

/**
 * One process's part of a limit that holds over all processes of a store (decision 0032). It stands in a cell, which
 * each process changes by compare and swap: nothing is written while nothing changes. A call starts only within what
 * the cell grants to this process, and while the process is not cut off from the store; so, whatever fails, no more run
 * than the limit says, but for those of a process that was taken for gone.
 */
export class SharedLimit {
  readonly #name: string;
  readonly #calls: LimitedCalls;
  readonly #options: SharedLimitOptions;
  /** The life of this process in which what is known was read. */
  #life = -1;
  /** By when the cell was not older than what is known of it. */
  #seenMs = Number.NEGATIVE_INFINITY;
  /** The cell's, as it was seen or written last. */
  #revision = 0;
  #limit: number;
  #granted = 0;
  #processes = 0;
  #startsBelow = 0;
  #pending: Pending | undefined;
  /** The limit is said once, at the first look and when it has changed: what others say later is newer. */
  #hasToldLimit = false;
  readonly #need = new RecentNeed();
  #turnSinceMs = 0;
  #wroteMs = Number.NEGATIVE_INFINITY;
  #retry: ScheduledCall | undefined;
  #looking: Promise<void> | undefined;
  #isClosing = false;

  constructor(name: string, calls: LimitedCalls, options: SharedLimitOptions) {
    this.#name = name;
    this.#calls = calls;
    this.#options = options;
    this.#limit = calls.limit();
  }

  /** The cell's. */
  get name(): string {
    return this.#name;
  }

  /** It holds, wants or has to say something: the cell is to be looked at. */
  get isActive(): boolean {
    if (!this.#hasToldLimit || this.#pending !== undefined) return true;
    return this.#granted > 0 || this.#need.wanted > 0 || this.#calls.waiting() > 0;
  }

  get standing(): SharedLimitStanding {
    const isCutOff = this.#options.membership.isCutOff || (this.#granted > 0 && !this.#isLive);
    const granted = isCutOff ? 0 : this.#granted;
    return { limit: this.#limit, granted, processes: this.#processes, isCutOff };
  }

  /** Asked before a place is taken or given on: no door of a process that is cut off at this moment stays open. */
  check(): void {
    if (this.#startsBelow > 0 && !this.#isLive) this.#shut();
  }

  /** A call that was given a place may start. */
  get isOpen(): boolean {
    return this.#startsBelow > 0 && this.#isLive;
  }

  /** A place was taken. */
  note(): void {
    this.#need.note(this.#calls.running());
  }

  /** A call waits: looks at once, unless the cell was written just now. */
  ask(): void {
    if (this.#isClosing) return;
    this.#options.onActive();
    this.#need.note(this.#calls.running() + this.#calls.waiting());
    if (this.#looking === undefined && this.#retry === undefined) void this.look();
  }

  /** This process was told another limit, as every process of the store is: the cell is to say so. */
  limitChanged(): void {
    this.#hasToldLimit = false;
    this.ask();
  }

  /** One look at the cell, as it was read or is read now. Never rejects. */
  look(read?: CellSight): Promise<void> {
    this.#looking ??= this.#look(read).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Gives back what does not run. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#looking;
    this.#retry?.cancel();
    this.#wroteMs = Number.NEGATIVE_INFINITY;
    if (this.#isLive && this.isActive) await this.look();
    this.#retry?.cancel();
  }

  get #isLive(): boolean {
    const { membership, clock } = this.#options;
    // plant: a-process-that-is-cut-off-still-starts
    if (membership.life !== this.#life || membership.isCutOff) return false;
    return clock.monotonic() - this.#seenMs < SEEN_MS_MAX;
  }

  async #look(read: CellSight | undefined): Promise<void> {
    this.#retry?.cancel();
    this.#retry = undefined;
    let sight = read;
    try {
      for (let tries = 1; tries <= TRIES; tries++) {
        if ((await this.#step(sight)) !== "overtaken") return;
        sight = undefined;
      }
      this.#lookIn(OVERTAKEN_MS);
    } catch (error) {
      const message = "a function's concurrency could not be shared with the other processes; trying again";
      this.#options.lines.write("warn", message, { error: describeError(error) });
      this.#lookIn(WRITE_PAUSE_MS);
    }
  }

  async #step(read: CellSight | undefined): Promise<"done" | "overtaken"> {
    const { membership, cells, clock } = this.#options;
    const { life, processId } = membership;
    if (membership.isCutOff) return this.#wait();
    const { cell, askedMs } = this.#isOlder(read) ? await this.#read() : read;
    // What was read in another life, or came too late, says nothing.
    if (membership.life !== life || membership.isCutOff) return this.#wait();
    const { revision, document } = cell ?? NO_CELL;
    this.#seenMs = askedMs;
    const seen = this.#adopt(revision, readAllotment(document), life);
    const nowMs = clock.monotonic();
    const isTurnOver = nowMs - this.#turnSinceMs >= TURN_MS;
    const { allotment, startsBelow } = allot(seen, {
      process: processId,
      running: this.#calls.running(),
      wanted: this.#isClosing ? 0 : this.#wanted(nowMs),
      living: membership.living,
      isGone: (process) => membership.isGone(process),
      isTurnOver,
    });
    const next = writeAllotment(allotment);
    // What is given up is given up before the cell says so; what is taken is taken after it has said so.
    // plant: a-grant-is-used-until-the-cell-says-that-it-is-given-up
    this.#startWithin(Math.min(startsBelow, this.#granted));
    // The same again ends what is uncertain: a swap that was lost cannot take effect on another revision.
    if (next === document && this.#pending === undefined) return "done";
    const sinceMs = nowMs - this.#wroteMs;
    if (sinceMs < WRITE_PAUSE_MS) return this.#lookIn(WRITE_PAUSE_MS - sinceMs);
    const granted = grantOf(allotment, processId);
    // plant: a-swap-without-an-answer-is-taken-for-none
    this.#pending = { revision, granted: Math.min(granted, this.#granted) };
    const answer = await cells.swap(this.#name, revision, next);
    this.#pending = undefined;
    // plant: a-grant-is-raised-on-a-stale-cell
    if (answer.kind === "stale") return "overtaken";
    this.#revision = answer.revision;
    // A call that comes soon after a start need not wait for the limit to have been said.
    if (this.#hasToldLimit) this.#wroteMs = nowMs;
    if (isTurnOver) this.#turnSinceMs = nowMs;
    this.#hasToldLimit = true;
    if (membership.life !== life || membership.isCutOff) return this.#wait();
    this.#know(allotment, granted);
    this.#startWithin(startsBelow);
    return "done";
  }

  /** It was read by another look, and this process has written since. */
  #isOlder(read: CellSight | undefined): read is undefined {
    return read === undefined || (read.cell?.revision ?? 0) < this.#revision;
  }

  async #read(): Promise<CellSight> {
    const askedMs = this.#options.clock.monotonic();
    const cells = await this.#options.cells.read(this.#name);
    return { cell: cells.find(({ name }) => name === this.#name), askedMs };
  }

  /** What the cell says; the limit that this process brings, at first; of its own part no more than is certain. */
  #adopt(revision: number, found: Allotment | undefined, life: number): Allotment {
    const { processId } = this.#options.membership;
    if (this.#pending?.revision !== revision) this.#pending = undefined;
    const limit = found !== undefined && this.#hasToldLimit ? found.limit : this.#calls.limit();
    this.#hasToldLimit ||= found?.limit === limit;
    const certain = this.#pending?.granted ?? Number.POSITIVE_INFINITY;
    const parts = (found?.parts ?? []).map((part) =>
      part.process === processId ? { ...part, granted: Math.min(part.granted, certain) } : part,
    );
    const seen = { limit, parts };
    this.#life = life;
    this.#revision = revision;
    this.#know(seen, grantOf(seen, processId));
    return seen;
  }

  #know({ limit, parts }: Allotment, granted: number): void {
    if (this.#granted === 0 && granted > 0) this.#turnSinceMs = this.#options.clock.monotonic();
    if (this.#granted !== granted) this.#options.telemetry.functionGrant(this.#calls.fn, granted);
    this.#limit = limit;
    this.#granted = granted;
    this.#processes = parts.length;
  }

  #wanted(nowMs: number): number {
    this.#need.note(this.#calls.running() + this.#calls.waiting());
    return this.#need.look(nowMs, this.#calls.running() + this.#calls.waiting());
  }

  #startWithin(startsBelow: number): void {
    if (startsBelow === this.#startsBelow) return;
    this.#startsBelow = startsBelow;
    this.#calls.onChange(startsBelow);
  }

  #shut(): void {
    if (this.#granted > 0) this.#options.telemetry.functionGrant(this.#calls.fn, 0);
    this.#granted = 0;
    this.#startWithin(0);
  }

  /** Until this process is heard of again. */
  #wait(): "done" {
    this.#shut();
    return this.#lookIn(CUT_OFF_LOOK_MS);
  }

  #lookIn(ms: number): "done" {
    if (this.#isClosing) return "done";
    this.#retry?.cancel();
    this.#retry = this.#options.clock.schedule(ms, () => {
      this.#retry = undefined;
      if (!this.#isClosing) void this.look();
    });
    return "done";
  }
}

const NO_CELL = { revision: 0, document: "" };

function grantOf({ parts }: Allotment, process: string): number {
  return parts.find((part) => part.process === process)?.granted ?? 0;
}
