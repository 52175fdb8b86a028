import { request } from "undici";
import { LOAD_TESTS_PATH, type LoadTestProgress } from "../model/load-test.ts";
import type { LoadProgress } from "./load-measurement.ts";

export interface TellerPlace {
  readonly url: string;
  readonly token: string | undefined;
}

const TELL_MS_MAX = 2_000;

/**
 * Tells running processes how a load test goes, so that their pages show it. At best: a page that cannot be told is no
 * trouble of the test, and one call at a time goes to each.
 */
export class PageTeller {
  readonly #name: string;
  readonly #places: () => readonly TellerPlace[];
  readonly #busy = new Set<string>();
  #failures = 0;
  #last: LoadTestProgress | undefined;

  constructor(name: string, places: () => readonly TellerPlace[]) {
    this.#name = name;
    this.#places = places;
  }

  tell(progress: LoadProgress): void {
    if (progress.kind === "event") return;
    const { window, totalMs, violations } = progress;
    const seconds = Math.max(0.001, window.seconds);
    this.#failures += window.failures;
    this.#last = {
      name: this.#name,
      state: "running",
      elapsedMs: window.atMs,
      totalMs,
      sentPerSecond: window.sent / seconds,
      deliveredPerSecond: window.delivered / seconds,
      lag: window.lag,
      inFlight: window.inFlight,
      failures: this.#failures,
      violations,
      p99Ms: window.delivered === 0 ? 0 : window.p99Ms,
    };
    for (const place of this.#places()) void this.#send(place, this.#last);
  }

  /** How it ended, to those that still run. */
  async end(passed: boolean): Promise<void> {
    const last = this.#last;
    if (last === undefined) return;
    const told: LoadTestProgress = {
      ...last,
      state: passed ? "passed" : "failed",
      sentPerSecond: 0,
      deliveredPerSecond: 0,
    };
    await Promise.all(this.#places().map((place) => this.#send(place, told)));
  }

  async #send({ url, token }: TellerPlace, progress: LoadTestProgress): Promise<void> {
    if (this.#busy.has(url) && progress.state === "running") return;
    this.#busy.add(url);
    try {
      const { body } = await request(new URL(`${LOAD_TESTS_PATH}/${encodeURIComponent(this.#name)}`, url), {
        method: "PUT",
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(progress),
        signal: AbortSignal.timeout(TELL_MS_MAX),
      });
      await body.dump();
    } catch {
      // It is being killed, paused or started anew: that is what some tests are for.
    } finally {
      this.#busy.delete(url);
    }
  }
}
