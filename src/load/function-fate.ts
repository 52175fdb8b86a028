import { type SeededRandom, seededRandom } from "./seeded-random.ts";

/** Shares of invocations that go wrong, in percent. */
export interface ErrorProfile {
  readonly throwPercent: number;
  /** Names one of the event's records as failed. */
  readonly partialPercent: number;
  /** 429 */
  readonly throttlePercent: number;
  /** Never answers. */
  readonly timeoutPercent: number;
}

export type Fate = "succeed" | "throw" | "partial" | "throttle" | "timeout";

/** Draws how an invocation ends. A fault of the schedule goes before chance. */
export class FunctionFate {
  readonly #profile: ErrorProfile;
  readonly #random: SeededRandom;

  constructor(profile: ErrorProfile, seed: number) {
    this.#profile = profile;
    this.#random = seededRandom(seed, "fate");
  }

  next(): Fate {
    const { throwPercent, partialPercent, throttlePercent, timeoutPercent } = this.#profile;
    let drawn = this.#random.next() * 100;
    for (const [fate, percent] of [
      ["throw", throwPercent],
      ["partial", partialPercent],
      ["throttle", throttlePercent],
      ["timeout", timeoutPercent],
    ] as const) {
      if (drawn < percent) return fate;
      drawn -= percent;
    }
    return "succeed";
  }

  /** Which of the event's records a partial response names. */
  failing(records: number): number {
    return this.#random.between(0, Math.max(0, records - 1));
  }
}
