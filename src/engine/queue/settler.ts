import { describeError } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueSource, Settlement } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { type BackoffLimits, backoffMs } from "../invoke/backoff.ts";
import { sleep } from "../sleep.ts";
import { type HeldMessage, messagesOf } from "./held-message.ts";

export interface SettlerOptions {
  readonly mapping: string;
  readonly source: QueueSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly limits: BackoffLimits;
  /** Aborts when nobody waits for settlements any more. */
  readonly signal: AbortSignal;
}

/** Takes messages off their queue, or gives them back, item by item, and tries again what failed while the hold lasts. */
export class Settler {
  readonly #options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Resolves when each is deleted, or is lost and comes again. */
  async acknowledge(held: readonly HeldMessage[]): Promise<void> {
    const { source, telemetry, mapping } = this.#options;
    const settled = await this.#settle(held, (messages) => source.acknowledge(messages));
    telemetry.count("deleted_events", mapping, settled);
  }

  /** Gives them back at once. One try: what fails comes again when its hold ends. */
  async release(held: readonly HeldMessage[]): Promise<void> {
    if (held.length === 0) return;
    const { source, telemetry, mapping } = this.#options;
    try {
      await source.release(messagesOf(held), 0);
    } catch (error) {
      const fields = { mapping, records: held.length, error: describeError(error) };
      telemetry.log("debug", "messages could not be released; they come again when their hold ends", fields);
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
      const results = await settle(messagesOf(open)).catch((error: unknown) => {
        const fields = { mapping, records: open.length, error: describeError(error) };
        telemetry.log("warn", "messages could not be deleted; trying again while their hold lasts", fields);
        return open.map((): Settlement => "failed");
      });
      settled += results.filter((result) => result === "settled").length;
      telemetry.count("lost_holds", mapping, results.filter((result) => result === "lost").length);
      open = open.filter((each, index) => results[index] === "failed" && !each.isLost);
      if (open.length === 0 || !(await sleep(clock, backoffMs(failures, limits, random), signal))) break;
      open = open.filter(({ isLost, holdUntilMs }) => !isLost && holdUntilMs > clock.monotonic());
    }
    return settled;
  }
}
