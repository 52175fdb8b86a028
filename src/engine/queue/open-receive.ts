import { scheduleAfter } from "../../lib/sleep.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueMessage, QueueSource } from "../../ports/queue-source.ts";

export type ReceiveOutcome =
  | { readonly kind: "given"; readonly messages: readonly QueueMessage[] }
  | { readonly kind: "failed"; readonly error: unknown };

/** A receive that is under way. What it brings is run by whoever has it then: its worker, or the next one (principle 7). */
export interface OpenReceive {
  readonly messagesMax: number;
  /** Monotonic. */
  readonly askedMs: number;
  readonly waitMs: number;
  readonly holdMs: number;
  /** Never rejects. */
  readonly outcome: Promise<ReceiveOutcome>;
}

export interface ReceiveQuestion {
  readonly messagesMax: number;
  readonly waitMs: number;
  readonly holdMs: number;
}

export function openReceive(
  source: QueueSource,
  { messagesMax, waitMs, holdMs }: ReceiveQuestion,
  askedMs: number,
  signal: AbortSignal,
): OpenReceive {
  // A source that throws, where its port says that it rejects, costs this receive only.
  const ask = async () => await source.receive({ messagesMax, waitMs, holdMs }, signal);
  const outcome = ask().then(
    (messages): ReceiveOutcome => ({ kind: "given", messages }),
    (error: unknown): ReceiveOutcome => ({ kind: "failed", error }),
  );
  return { messagesMax, askedMs, waitMs, holdMs, outcome };
}

/** A mapping that begins again must take up what it left within this share of the hold; the rest is for the way back. */
const KEPT_SHARE = 1 / 2;

/**
 * Receives between the worker that asked for them and the one that runs the same mapping next. What nobody takes up in time
 * is released: it comes again.
 */
export class KeptReceives {
  readonly source: QueueSource;
  /** All have come back, and nothing of theirs goes through this source any more: it may be closed. */
  readonly back: Promise<void>;
  readonly #open: readonly OpenReceive[];
  readonly #release: (messages: readonly QueueMessage[]) => Promise<void>;
  readonly #decided = Promise.withResolvers<void>();
  readonly #late: { cancel(): void };
  #isOver = false;

  constructor(
    source: QueueSource,
    open: readonly OpenReceive[],
    clock: Clock,
    release: (messages: readonly QueueMessage[]) => Promise<void>,
  ) {
    this.source = source;
    this.#open = open;
    this.#release = release;
    this.back = Promise.all([this.#decided.promise, ...open.map(({ outcome }) => outcome)]).then(
      () => undefined,
    );
    const lateMs = Math.min(...open.map(({ askedMs, holdMs }) => askedMs + holdMs * KEPT_SHARE));
    const inMs = Math.max(0, lateMs - clock.monotonic());
    this.#late = scheduleAfter(clock, inMs, () => void this.giveBack());
  }

  /** For the next worker of the same queue. */
  take(): readonly OpenReceive[] {
    if (this.#isOver) return [];
    this.#end();
    this.#decided.resolve();
    return this.#open;
  }

  /**
   * Nobody takes them up: what they bring goes back, once all are back; a receive that is still under way would get again
   * what another gives back, and each time is one too many. Never rejects.
   */
  async giveBack(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    const outcomes = await Promise.all(this.#open.map(({ outcome }) => outcome));
    const messages = outcomes.flatMap((each) => (each.kind === "given" ? each.messages : []));
    if (messages.length > 0) await this.#release(messages);
    this.#decided.resolve();
  }

  #end(): void {
    this.#isOver = true;
    this.#late.cancel();
  }
}
