import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import { describeError } from "../../model/errors.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { QueueSource, Settlement } from "../../ports/queue-source.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { type HeldMessage, messagesOf } from "./held-message.ts";

export interface HoldKeeperOptions {
  readonly mapping: string;
  readonly source: QueueSource;
  /** How long a hold is prolonged for; it may change. */
  holdMs(): number;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly lines: RepeatedLines;
  /** The queue has given these to somebody else, or may have. */
  onLost(lost: readonly HeldMessage[]): void;
  onDefect(error: unknown): void;
}

/** Looks at the holds so often in one hold. */
const LOOKS_PER_HOLD = 8;
/** A hold is prolonged when less than this share of it is left: two more tries fit into the rest. */
// plant: holds-are-prolonged-when-they-have-ended
const PROLONG_SHARE = 1 / 2;
/** Looks in what is left of the shortest hold; and no more often than this. */
const LOOKS_PER_REST = 4;
const LOOK_MS_MIN = 50;

/** Prolongs the holds of all messages in hand, waiting or running, so that a slow function costs no redelivery. */
export class HoldKeeper {
  readonly #options: HoldKeeperOptions;
  readonly #held = new Set<HeldMessage>();
  #timer: ScheduledCall | undefined;
  #lookAtMs = Number.POSITIVE_INFINITY;
  /** Their extension is under way, and decides of them. However long it takes, the others are looked at. */
  readonly #asked = new Set<HeldMessage>();
  #isClosed = false;

  constructor(options: HoldKeeperOptions) {
    this.#options = options;
  }

  /** Holds that are kept. */
  get size(): number {
    return this.#held.size;
  }

  add(held: readonly HeldMessage[]): void {
    for (const each of held) this.#held.add(each);
    this.#plan(held);
  }

  remove(held: readonly HeldMessage[]): void {
    for (const each of held) this.#held.delete(each);
  }

  /** Age of the oldest message in hand, as far as its queue says when it was sent; `undefined`: none is in hand. */
  oldestAgeMs(): number | undefined {
    let oldestMs: number | undefined;
    for (const { message } of this.#held) {
      if (message.sentMs !== undefined && message.sentMs < (oldestMs ?? Number.POSITIVE_INFINITY)) {
        oldestMs = message.sentMs;
      }
    }
    return oldestMs === undefined ? undefined : Math.max(0, this.#options.clock.now() - oldestMs);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A hold that is shorter than the others, of an earlier configuration, is looked at sooner. */
  #plan(changed: Iterable<HeldMessage>): void {
    if (this.#isClosed || this.#held.size === 0) return;
    const { clock, holdMs } = this.#options;
    const nowMs = clock.monotonic();
    let leftMs = Number.POSITIVE_INFINITY;
    for (const { holdUntilMs } of changed) leftMs = Math.min(leftMs, holdUntilMs - nowMs);
    const usualMs = holdMs() / LOOKS_PER_HOLD;
    const inMs = Math.min(usualMs, Math.max(leftMs / LOOKS_PER_REST, LOOK_MS_MIN));
    if (this.#timer !== undefined && nowMs + inMs >= this.#lookAtMs) return;
    this.#timer?.cancel();
    this.#lookAtMs = nowMs + inMs;
    this.#timer = clock.schedule(inMs, () => {
      this.#timer = undefined;
      try {
        this.#look();
      } catch (error) {
        this.#options.onDefect(error);
      }
      this.#plan(this.#held);
    });
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonic();
    const idle = [...this.#held].filter((held) => !this.#asked.has(held));
    this.#lose(idle.filter(({ holdUntilMs }) => holdUntilMs <= nowMs));
    const isDue = ({ holdUntilMs, spanMs }: HeldMessage) => holdUntilMs - nowMs < spanMs * PROLONG_SHARE;
    // plant: a-slow-extension-holds-up-all-others
    const due = idle.filter((held) => this.#held.has(held) && isDue(held));
    // plant: holds-are-not-prolonged
    if (due.length > 0) void this.#ask(due);
  }

  /** Never rejects. */
  async #ask(due: readonly HeldMessage[]): Promise<void> {
    for (const held of due) this.#asked.add(held);
    try {
      await this.#prolong(due);
    } catch (error) {
      this.#options.onDefect(error);
    } finally {
      for (const held of due) this.#asked.delete(held);
    }
  }

  async #prolong(due: readonly HeldMessage[]): Promise<void> {
    const { source, clock, telemetry, lines, mapping } = this.#options;
    const holdMs = this.#options.holdMs();
    const askedMs = clock.monotonic();
    let results: readonly Settlement[];
    try {
      results = await source.extend(messagesOf(due), holdMs);
    } catch (error) {
      const fields = { mapping, records: due.length, error: describeError(error) };
      lines.write(
        "warn",
        "the holds of messages could not be prolonged; trying again while they last",
        fields,
      );
      return;
    }
    telemetry.mark("holds prolonged");
    const lost = due.filter((_, index) => results[index] === "lost");
    for (const [index, held] of due.entries()) {
      if (results[index] !== "settled") continue;
      held.holdUntilMs = askedMs + holdMs;
      held.spanMs = holdMs;
    }
    // A message that was settled meanwhile is not lost: it is no longer held.
    this.#lose(lost.filter((held) => this.#held.has(held)));
  }

  #lose(lost: readonly HeldMessage[]): void {
    if (lost.length === 0) return;
    const { telemetry, mapping, onLost } = this.#options;
    telemetry.count("lost_holds", mapping, lost.length);
    for (const held of lost) held.isLost = true;
    this.remove(lost);
    onLost(lost);
  }
}
