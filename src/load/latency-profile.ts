import { type SeededRandom, seededRandom } from "./seeded-random.ts";

/** How long the function takes. */
export interface LatencyProfile {
  readonly shape: "constant" | "uniform" | "exponential" | "lognormal";
  /** The constant, the least of uniform, the mean of exponential, the median of lognormal; milliseconds. */
  readonly ms: number;
  /** The most of uniform; what a draw of the long-tailed shapes is cut off at. */
  readonly msMax: number;
  /** Deviation of the logarithm; of lognormal only. */
  readonly sigma: number;
  /** `invocation`: drawn for each anew. `key`: a slow key stays slow, and an event takes as long as its slowest key. */
  readonly per: "invocation" | "key";
}

export class FunctionLatency {
  readonly #profile: LatencyProfile;
  readonly #random: SeededRandom;
  readonly #seed: number;

  constructor(profile: LatencyProfile, seed: number) {
    this.#profile = profile;
    this.#seed = seed;
    this.#random = seededRandom(seed, "latency");
  }

  /** Milliseconds for an event with records of these keys. */
  next(keys: Iterable<number>): number {
    if (this.#profile.per === "invocation") return draw(this.#profile, this.#random);
    let slowest = 0;
    for (const key of keys) {
      slowest = Math.max(slowest, draw(this.#profile, seededRandom(this.#seed, `latency of ${key}`)));
    }
    return slowest;
  }
}

function draw({ shape, ms, msMax, sigma }: LatencyProfile, random: SeededRandom): number {
  switch (shape) {
    case "constant":
      return ms;
    case "uniform":
      return ms + (msMax - ms) * random.next();
    case "exponential":
      return Math.min(msMax, -ms * Math.log(1 - random.next()));
    case "lognormal":
      return Math.min(msMax, ms * Math.exp(sigma * random.normal()));
  }
}
