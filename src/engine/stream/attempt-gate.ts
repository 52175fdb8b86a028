import { sleep } from "../../lib/sleep.ts";
import type { AttemptNotes } from "../invoke/attempt-notes.ts";
import { RetryWatch } from "./retry-watch.ts";
import type { Segment } from "./segment.ts";
import type { ShardContext, StartPermission } from "./shard-context.ts";

/** What may stand between a segment and its next attempt. */
type Obstacle = Exclude<StartPermission, "start"> | "expired" | "pause";

/** Obstacles that time removes. */
type Delay = "leaseless" | "undurable" | "pause";

/**
 * Says for the parts of one batch whether the next attempt may start, and waits until it is worth while to ask again.
 */
export class AttemptGate {
  readonly #context: ShardContext;
  readonly #notes: AttemptNotes;
  /** Set once a part is tried again. */
  #watch: RetryWatch | undefined;

  constructor(context: ShardContext, notes: AttemptNotes) {
    this.#context = context;
    this.#notes = notes;
  }

  /** Mostly nothing. */
  blockedBy(segment: Segment): Obstacle | undefined {
    const permission = this.#context.startPermission();
    // plant: what-is-left-of-a-batch-is-started-after-stop
    if (permission !== "start") return permission;
    if (this.#dueMs(segment) <= this.#context.clock.monotonic() || this.goneOf(segment) > 0) return "expired";
    return segment.notBeforeMs > this.#context.clock.monotonic() ? "pause" : undefined;
  }

  async wait(segment: Segment, delay: Delay): Promise<void> {
    const { clock, settings, stopSignal, telemetry } = this.#context;
    if (delay !== "pause") {
      telemetry.mark(delay === "leaseless" ? "lease expired locally" : "work waited for a checkpoint");
      this.#notes.does(delay);
      await sleep(clock, settings.leaseRenewalMs / 4, stopSignal);
      return;
    }
    // Wakes for the first expiry too: a record is given up when its age or the source says so, not with the next retry.
    const lookAtMs = this.#watch?.lookAtMs ?? Number.POSITIVE_INFINITY;
    const untilMs = Math.min(this.#dueMs(segment), segment.notBeforeMs, lookAtMs);
    this.#notes.does("pausing");
    const isElapsed = await sleep(clock, Math.max(0, untilMs - clock.monotonic()), stopSignal);
    if (!isElapsed) telemetry.mark("retry wait cut short by stop");
  }

  /** How many of its records, from the first on, the source serves no more. Asked only of what has been tried. */
  goneOf({ isRetry, windowEnd, records }: Segment): number {
    if (!isRetry || windowEnd !== "no") return 0;
    this.#watch ??= new RetryWatch(this.#context);
    return this.#watch.goneOf(records);
  }

  /**
   * Monotonic time at which the mapping's record age ends the segment. A window's last invocation is a thing of its
   * own: its age runs from its first try, so that none is given up untried, however old the records before it are.
   */
  #dueMs({ windowEnd, records, triedFromMs }: Segment): number {
    if (windowEnd === "no") return this.#context.expiry.firstDueMs(records);
    // plant: a-windows-last-invocation-is-as-old-as-the-window
    if (triedFromMs === undefined) return Number.POSITIVE_INFINITY;
    return triedFromMs + (this.#context.mapping.recordAgeMsMax ?? Number.POSITIVE_INFINITY);
  }
}
