import type { PartReasons } from "../engine/engine.ts";
import { describeError } from "../model/errors.ts";
import { isNoReason, type Reason, reason } from "../model/reason.ts";
import type { Redrive } from "../model/redrive.ts";
import type { Clock } from "../ports/clock.ts";

/**
 * What those do who redrive: `reading` and `writing` are of the store, `feeding` of the destination that has the
 * records, `pacing` waits for the redrive's rate, `calling` is the function's turn.
 */
export type RedriveDoing = "reading" | "writing" | "feeding" | "pacing" | "calling";

/** So long a store or a destination may take without being in the way. */
const LATE_MS = 10_000;

/** What one part of a redrive notes of itself, so that it can be explained. */
export class RedriveNotes {
  readonly #clock: Clock;
  #doing: RedriveDoing = "reading";
  #sinceMs: number;
  #problem: string | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonic();
  }

  get doing(): RedriveDoing {
    return this.#doing;
  }

  /** What went wrong before has passed. */
  does(doing: RedriveDoing): void {
    this.#doing = doing;
    this.#sinceMs = this.#clock.monotonic();
    this.#problem = undefined;
  }

  /** What it does has failed, and is tried again. */
  fails(error: unknown): void {
    this.#problem = describeError(error);
  }

  /** `calling`: the batch says it. */
  reason(rate: number | undefined): Reason {
    const forMs = this.#clock.monotonic() - this.#sinceMs;
    const sinceMs = this.#clock.now() - forMs;
    if (this.#doing === "pacing")
      return reason("redrivePaced", { sinceMs, facts: rate === undefined ? {} : { rate } });
    if (this.#problem === undefined && forMs <= LATE_MS) return reason("progressing");
    const facts = this.#problem === undefined ? {} : { problem: this.#problem };
    return reason(this.#doing === "feeding" ? "redriveUnreadable" : "storeUnavailable", { sinceMs, facts });
  }
}

/** A redrive as a part of its mapping: what people and alerts name it by. */
export function redrivePart(
  { name, state }: Pick<Redrive, "name" | "state">,
  progress: string,
  reasons: readonly Reason[],
): PartReasons {
  const given = reasons.filter(({ code }) => !isNoReason(code));
  const distinct = given.filter(({ code }, index) => given.findIndex((each) => each.code === code) === index);
  return {
    part: `redrive ${name}`,
    holdsWork: state === "running" || state === "planned",
    progress,
    reasons: distinct.length === 0 ? [reason("progressing")] : distinct,
  };
}
