import { backoffMs } from "../../lib/back-off.ts";
import { sleep } from "../../lib/sleep.ts";
import { describeError } from "../../model/errors.ts";
import type { Settlement } from "../../ports/queue-source.ts";
import type { AsyncParts } from "./async-parts.ts";
import type { HeldItem } from "./held-items.ts";

const LIMITS = { backoffBaseMs: 100, backoffCapMs: 5_000 };

/**
 * Has the queue take an item's end, again while the hold lasts. `lost`: somebody else has the item, or the hold has
 * ended before the queue answered: it comes again. `unknown`: so, or an answer was lost and it has taken effect: what
 * has to be told is told then, perhaps twice.
 */
export async function settle(
  held: HeldItem,
  change: () => Promise<Settlement>,
  { held: items, clock, random, lines, ending }: AsyncParts,
): Promise<"settled" | "lost" | "unknown"> {
  for (let failures = 1; ; failures++) {
    try {
      const answer = await change();
      if (answer === "settled") return answer;
      // plant: an-end-whose-answer-was-lost-is-not-told
      if (answer === "lost") return failures === 1 ? answer : "unknown";
    } catch (error) {
      const fields = { error: describeError(error) };
      lines.write(
        "warn",
        "the end of an event could not be written; trying again while its hold lasts",
        fields,
      );
    }
    // plant: an-end-is-not-told-when-the-hold-is-over-before-its-answer
    if (!items.isHeld(held)) return "unknown";
    if (!(await sleep(clock, backoffMs(failures, LIMITS, random), ending))) return "unknown";
  }
}
