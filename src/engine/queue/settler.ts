import { type BackoffLimits, backoffMs } from "../../lib/back-off.ts";
import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import { sleep } from "../../lib/sleep.ts";
import { assertInvariant, describeError, MillraceError } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueSource, Settlement } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { SourceProblems } from "../stream/source-problems.ts";
import { type HeldMessage, isHeldAt, messagesOf } from "./held-message.ts";

export interface SettlerOptions {
  readonly mapping: string;
  readonly source: QueueSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** An outage fails every batch's settlement, again and again. */
  readonly lines: RepeatedLines;
  readonly problems: SourceProblems;
  readonly limits: BackoffLimits;
  /** The queue has answered for these: their holds are no longer of use. */
  onAnswered(answered: readonly HeldMessage[]): void;
  /** Aborts when nobody waits for settlements any more. */
  readonly signal: AbortSignal;
}

/** The place of the problems that they have: what is done and not deleted is held on to, or comes again. */
const DELETES = "deletes";
const NOT_DELETED = "The queue answered, and did not delete messages that it was asked to delete.";

/**
 * Takes messages off their queue, or gives them back, item by item, and tries again what failed while the hold lasts.
 */
export class Settler {
  readonly #options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Resolves when each is deleted, or is lost and comes again. */
  async acknowledge(held: readonly HeldMessage[]): Promise<void> {
    const { source, telemetry, mapping } = this.#options;
    noteSettled(held);
    const settled = await this.#settle(held, async (messages) => await source.acknowledge(messages));
    telemetry.count("deleted_events", mapping, settled);
  }

  /** Gives them back after `delayMs`, those that are still ours. One try: what fails comes again when its hold ends. */
  async release(held: readonly HeldMessage[], delayMs = 0): Promise<void> {
    const { source, clock, telemetry, mapping } = this.#options;
    noteSettled(held);
    // plant: messages-are-released-that-are-lost
    const own = held.filter((each) => isHeldAt(each, clock.monotonic()));
    if (own.length === 0) return;
    try {
      await source.release(messagesOf(own), delayMs);
    } catch (error) {
      const fields = { mapping, records: own.length, error: describeError(error) };
      telemetry.log("debug", "messages could not be released; they come again when their hold ends", fields);
    }
  }

  /**
   * Tells a queue that wants to know it what failed; `undefined`: it brings them again by itself when their holds end.
   * Before it answers, their holds end with the pause.
   */
  fail(held: readonly HeldMessage[]): Promise<void> | undefined {
    const { source, clock, random, limits } = this.#options;
    if (source.failed === undefined) return undefined;
    noteSettled(held);
    const nowMs = clock.monotonic();
    const own = held.filter((each) => isHeldAt(each, nowMs));
    if (own.length === 0) return undefined;
    const delayMs = backoffMs(Math.max(...own.map(({ message }) => message.receiveCount)), limits, random);
    for (const each of own) each.holdUntilMs = nowMs + delayMs;
    return this.#tellFailed(own, delayMs);
  }

  async #tellFailed(own: readonly HeldMessage[], delayMs: number): Promise<void> {
    const { source, telemetry, mapping } = this.#options;
    try {
      await source.failed?.(messagesOf(own), delayMs);
    } catch (error) {
      const fields = { mapping, records: own.length, error: describeError(error) };
      telemetry.log(
        "debug",
        "a queue could not be told what failed; it comes again when its hold ends",
        fields,
      );
    }
  }

  async #settle(
    held: readonly HeldMessage[],
    settle: (messages: ReturnType<typeof messagesOf>) => Promise<readonly Settlement[]>,
  ): Promise<number> {
    const { clock, random, limits, telemetry, mapping, signal } = this.#options;
    let open = held.filter(({ isLost }) => !isLost);
    let settled = 0;
    for (let failures = 1; open.length > 0; failures++) {
      let error: unknown;
      const answers = await settle(messagesOf(open)).catch((thrown: unknown): readonly Settlement[] => {
        error = thrown;
        return [];
      });
      // Nobody knows what became of what an answer leaves out.
      const results = open.map((_, index): Settlement => answers[index] ?? "failed");
      // plant: deletes-that-the-queue-refuses-one-by-one-are-not-told
      this.#tell(results, error);
      settled += results.filter((result) => result === "settled").length;
      const lost = results.filter((result) => result === "lost").length;
      telemetry.count("lost_holds", mapping, lost);
      if (lost > 0) telemetry.mark("acknowledge found the hold lost");
      // plant: messages-are-answered-for-and-their-holds-prolonged
      this.#options.onAnswered(open.filter((_, index) => results[index] !== "failed"));
      open = open.filter((each, index) => results[index] === "failed" && !each.isLost);
      // plant: an-acknowledgement-that-failed-is-not-tried-again
      if (open.length === 0 || !(await sleep(clock, backoffMs(failures, limits, random), signal))) break;
      open = open.filter((each) => isHeldAt(each, clock.monotonic()));
      telemetry.mark(open.length > 0 ? "acknowledge tried again" : "acknowledge given up with its hold");
    }
    return settled;
  }

  #tell(results: readonly Settlement[], thrown: unknown): void {
    const { clock, lines, mapping, problems } = this.#options;
    const records = results.filter((result) => result === "failed").length;
    if (records === 0) {
      problems.worked(DELETES);
      return;
    }
    const error = thrown ?? new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", NOT_DELETED);
    problems.failed(DELETES, error, clock.monotonic());
    const fields = { mapping, records, error: describeError(error) };
    lines.write("warn", "messages could not be deleted; trying again while their hold lasts", fields);
  }
}

function noteSettled(held: readonly HeldMessage[]): void {
  for (const each of held) {
    assertInvariant(!each.isSettled, "A message is deleted or given back twice");
    each.isSettled = true;
  }
}
