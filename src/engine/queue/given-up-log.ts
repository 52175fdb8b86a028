import { describeError } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { HeldMessage } from "./held-message.ts";

/** What goes wrong with every message is told of so often, with a count. */
const INTERVAL_MS = 60_000;

/** Tells what was not done with messages that a receive had brought: each kind at once, then once a minute at most. */
export class GivenUpLog {
  readonly #mapping: string;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #tellings = new Map<string, { untold: number; atMs: number }>();

  constructor(mapping: string, clock: Clock, telemetry: Telemetry) {
    this.#mapping = mapping;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  /** They cannot be filtered or be made part of an event. */
  damaged(broken: readonly HeldMessage[], error: unknown): void {
    if (broken.length === 0) return;
    this.#telemetry.count("damaged_events", this.#mapping, broken.length);
    this.#telemetry.mark("message given up: it cannot be converted");
    const [first] = broken;
    this.#tell("messages cannot be converted; each comes again alone until its queue gives it up", broken, {
      messageId: first?.message.messageId,
      receiveCount: first?.message.receiveCount,
      error: describeError(error),
    });
  }

  /** They go back to their queue, and no function has seen them: a receive count is spent. */
  unseen(released: readonly unknown[], reason: string): void {
    if (released.length === 0) return;
    // plant: what-goes-back-unseen-is-not-counted
    this.#telemetry.count("unseen_receives", this.#mapping, released.length);
    const message = "messages were given back before a function saw them; the queue counts a receive of each";
    this.#tell(message, released, { reason });
  }

  #tell(
    text: string,
    messages: readonly unknown[],
    more: Readonly<Record<string, string | number | undefined>>,
  ) {
    const nowMs = this.#clock.monotonic();
    const kind = `${text} ${more["reason"] ?? ""}`;
    const telling = this.#tellings.get(kind) ?? { untold: 0, atMs: Number.NEGATIVE_INFINITY };
    this.#tellings.set(kind, telling);
    telling.untold += messages.length;
    if (nowMs < telling.atMs) return;
    this.#telemetry.log("warn", text, { mapping: this.#mapping, messages: telling.untold, ...more });
    telling.untold = 0;
    telling.atMs = nowMs + INTERVAL_MS;
  }
}
