import { MillraceError } from "../../../src/model/errors.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { ProcessClock } from "./process-clock.ts";

const USUAL_MS_MAX = 40;
const SLOW_MS_MAX = 14_000;
const CLIENT_TIMEOUT_MS = 20_000;
/** There and back. */
const PROMPT_MS_MAX = 2 * USUAL_MS_MAX;

/** One process's way to the store: late, cut, or with answers that are lost after the work was done. */
export class FaultyWay {
  readonly #time: VirtualTime;
  readonly #clock: ProcessClock;
  readonly #random: SeededRandom;
  readonly #pending = new Set<{ readonly sinceMs: number }>();
  #cutUntilMs = 0;
  #troubledMs = 0;
  faultRate = 0.03;
  /** So much of what has no answer comes through long after its sender has given it up. */
  lateRate = 0;
  /** Nothing comes through a cut, later neither. */
  losesAll = false;

  constructor(time: VirtualTime, clock: ProcessClock, random: SeededRandom) {
    this.#time = time;
    this.#clock = clock;
    this.#random = random;
  }

  cut(ms: number): void {
    this.#cutUntilMs = this.#time.now + ms;
  }

  /** Since when every call was answered, and soon. */
  get calmSinceMs(): number {
    const isSlow = [...this.#pending].some(({ sinceMs }) => this.#time.now - sinceMs > PROMPT_MS_MAX);
    return isSlow ? this.#time.now : this.#troubledMs;
  }

  async call<T>(work: () => Promise<T>): Promise<T> {
    const pending = { sinceMs: this.#time.now };
    this.#pending.add(pending);
    try {
      return await this.#call(work);
    } catch (error) {
      this.#troubledMs = this.#time.now;
      throw error;
    } finally {
      this.#pending.delete(pending);
      if (this.#time.now - pending.sinceMs > PROMPT_MS_MAX) this.#troubledMs = this.#time.now;
    }
  }

  #call<T>(work: () => Promise<T>): Promise<T> {
    const isCut = this.#time.now < this.#cutUntilMs;
    const isLost = isCut || this.#random.chance(this.faultRate);
    // What was sent before a cut may still come through long after it.
    const comesThrough = !isLost || (!this.losesAll && this.#random.chance(0.5));
    return new Promise((resolve, reject) => {
      const fail = () => reject(new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "no answer"));
      if (isLost) this.#clock.schedule(this.#random.between(10, CLIENT_TIMEOUT_MS / 2), fail);
      else this.#clock.schedule(CLIENT_TIMEOUT_MS, fail);
      if (!comesThrough) return;
      const isLate = isLost && this.#random.chance(this.lateRate);
      this.#time.schedule(isLate ? this.#random.between(0, SLOW_MS_MAX) : this.#latencyMs(), () => {
        const answer = (say: () => void) => {
          if (!isLost) this.#clock.schedule(this.#latencyMs(), say);
        };
        void work().then(
          (result) => answer(() => resolve(result)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }

  #latencyMs(): number {
    return this.#random.between(0, this.#random.chance(this.faultRate) ? SLOW_MS_MAX : USUAL_MS_MAX);
  }
}
