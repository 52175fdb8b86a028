import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import { scheduleAfter } from "../../lib/sleep.ts";
import { describeError } from "../../model/errors.ts";
import type { AsyncItem, AsyncQueue } from "../../ports/async-queue.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";

/** An item in hand. */
export interface HeldItem {
  readonly item: AsyncItem;
  readonly holdMs: number;
  /** By our monotonic clock. */
  holdUntilMs: number;
  /** Somebody else has it, or may have. */
  isLost: boolean;
}

export interface HeldItemsOptions {
  readonly queue: AsyncQueue;
  readonly clock: Clock;
  readonly lines: RepeatedLines;
}

const LOOK_MS = 5_000;
/** A hold is prolonged when less than this share of it is left. */
const PROLONG_SHARE = 1 / 2;

/** What this process has in hand: how much of each lane, and until when. Prolongs holds while work lasts. */
export class HeldItems {
  readonly #options: HeldItemsOptions;
  readonly #held = new Set<HeldItem>();
  readonly #perLane = new Map<string, number>();
  #bytes = 0;
  #look: ScheduledCall | undefined;
  #isClosed = false;

  constructor(options: HeldItemsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  of(lane: string): number {
    return this.#perLane.get(lane) ?? 0;
  }

  /** `askedMs`: when the receive was asked for, before which no hold began. */
  add(item: AsyncItem, holdMs: number, askedMs: number): HeldItem {
    const held: HeldItem = { item, holdMs, holdUntilMs: askedMs + holdMs, isLost: false };
    this.#held.add(held);
    this.#bytes += item.body.length;
    this.#perLane.set(item.lane, this.of(item.lane) + 1);
    this.#plan();
    return held;
  }

  remove(held: HeldItem): void {
    if (!this.#held.delete(held)) return;
    const { lane, body } = held.item;
    this.#bytes -= body.length;
    const left = this.of(lane) - 1;
    if (left === 0) this.#perLane.delete(lane);
    else this.#perLane.set(lane, left);
  }

  isHeld({ isLost, holdUntilMs }: HeldItem): boolean {
    return !isLost && this.#options.clock.monotonic() < holdUntilMs;
  }

  close(): void {
    this.#isClosed = true;
    this.#look?.cancel();
  }

  #plan(): void {
    if (this.#isClosed || this.#look !== undefined || this.#held.size === 0) return;
    this.#look = scheduleAfter(this.#options.clock, LOOK_MS, () => {
      void this.#prolong().finally(() => {
        this.#look = undefined;
        this.#plan();
      });
    });
  }

  /** Never rejects. */
  async #prolong(): Promise<void> {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const due = [...this.#held].filter(
      ({ isLost, holdMs, holdUntilMs }) => !isLost && holdUntilMs - nowMs < holdMs * PROLONG_SHARE,
    );
    const bySpan = Map.groupBy(due, ({ holdMs }) => holdMs);
    // plant: holds-of-events-are-not-prolonged
    for (const [holdMs, held] of bySpan) await this.#extend(held, holdMs);
  }

  async #extend(held: readonly HeldItem[], holdMs: number): Promise<void> {
    const { queue, clock, lines } = this.#options;
    const askedMs = clock.monotonic();
    try {
      const answers = await queue.extend(
        held.map(({ item }) => item),
        holdMs,
      );
      for (const [index, each] of held.entries()) {
        if (answers[index] === "settled") each.holdUntilMs = askedMs + holdMs;
        else if (answers[index] === "lost") each.isLost = true;
      }
    } catch (error) {
      const fields = { records: held.length, error: describeError(error) };
      lines.write("warn", "the holds of events could not be prolonged; trying again while they last", fields);
    }
  }
}
