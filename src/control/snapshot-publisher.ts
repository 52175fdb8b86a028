import { RepeatedLines } from "../lib/repeated-lines.ts";
import { describeError } from "../model/errors.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { SnapshotStore } from "../ports/snapshot-store.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { ProcessSnapshot } from "./process-snapshot.ts";
import { writeSnapshot } from "./snapshot-document.ts";

export interface SnapshotPublisherOptions {
  readonly snapshots: SnapshotStore;
  readonly make: (isEnded: boolean) => ProcessSnapshot;
  /** Another text: something is wrong that was not, or is not any more. Others hear of it before this process dies. */
  readonly trouble: () => string;
  /** What else of it others may read: written before its word, so that a fresh word says that this is fresh, too. */
  readonly publishLog: (nowMs: number) => Promise<void>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** How often it is looked whether somebody asks. */
const LOOK_MS = 1_000;
/** How often a process says how it is while somebody looks, and when its trouble is another one. */
const ASKED_MS = 2_000;
/** How long a question counts. */
export const ASKED_FOR_MS = 30_000;
const IDLE_MS = 60_000;
const PRUNE_MS = 3_600_000;
/** What is left of processes that are gone: for a day, and no more of them than that. */
const KEPT_MS = 24 * 3_600_000;
const KEPT_MAX = 256;

/** Writes this process's snapshot: every two seconds while somebody looks, else once a minute, and at its end. */
export class SnapshotPublisher {
  readonly #options: SnapshotPublisherOptions;
  readonly #lines: RepeatedLines;
  #timer: ScheduledCall | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;
  #seenUntilMs: number | undefined;
  /** Monotonic. */
  #askedMs = Number.NEGATIVE_INFINITY;
  #publishedMs = Number.NEGATIVE_INFINITY;
  #prunedMs = Number.NEGATIVE_INFINITY;
  #trouble = "";
  #last: ProcessSnapshot | undefined;

  constructor(options: SnapshotPublisherOptions) {
    this.#options = options;
    this.#lines = new RepeatedLines(options.clock, options.telemetry);
  }

  start(): void {
    this.#looking = this.#look().finally(() => this.#plan());
  }

  /** What is said last is how it was before all of it was stopped. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#last = this.#options.make(true);
  }

  /** After `stop`, when nothing runs any more. */
  async end(): Promise<void> {
    await this.#looking;
    if (this.#last !== undefined) await this.#write(this.#last).catch(() => undefined);
  }

  #plan(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => this.start());
  }

  async #look(): Promise<void> {
    try {
      await this.#noteQuestion();
      if (!this.#isStopped && this.#isDue()) await this.#publish();
    } catch (error) {
      const message = "the store took no word of how this process is; others see its last one";
      this.#lines.write("warn", message, { error: describeError(error) });
    }
  }

  /** By another moment than the one that was seen: no clocks of hosts are compared. */
  async #noteQuestion(): Promise<void> {
    const { snapshots, clock } = this.#options;
    const untilMs = await snapshots.askedUntil();
    const isAsked = this.#seenUntilMs === undefined ? untilMs > clock.now() : untilMs !== this.#seenUntilMs;
    this.#seenUntilMs = untilMs;
    if (!isAsked) return;
    if (clock.monotonic() - this.#askedMs > ASKED_FOR_MS) this.#publishedMs = Number.NEGATIVE_INFINITY;
    this.#askedMs = clock.monotonic();
  }

  #isDue(): boolean {
    const nowMs = this.#options.clock.monotonic();
    const isLookedAt = nowMs - this.#askedMs <= ASKED_FOR_MS;
    const isNews = this.#options.trouble() !== this.#trouble;
    return nowMs - this.#publishedMs >= (isLookedAt || isNews ? ASKED_MS : IDLE_MS);
  }

  async #publish(): Promise<void> {
    const { make, clock, snapshots, trouble } = this.#options;
    const nowMs = clock.monotonic();
    this.#trouble = trouble();
    // Also where the store does not take it: it is not asked more often for that.
    this.#publishedMs = nowMs;
    await this.#write(make(false));
    if (nowMs - this.#prunedMs < PRUNE_MS) return;
    this.#prunedMs = nowMs;
    await snapshots.prune({ beforeMs: Math.round(clock.now()) - KEPT_MS, keep: KEPT_MAX });
  }

  async #write(snapshot: ProcessSnapshot): Promise<void> {
    const { processId, atMs } = snapshot;
    await this.#options.publishLog(atMs);
    await this.#options.snapshots.write({
      processId,
      atMs: Math.round(atMs),
      document: writeSnapshot(snapshot),
    });
  }
}
