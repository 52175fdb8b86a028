import type { LoadTestProgress } from "../../model/load-test.ts";
import type { Clock } from "../../ports/clock.ts";

/** One tells how it goes every second: what was not heard of for so long has ended, or was killed. */
const UNHEARD_MS = 15_000;
/** What has ended stays, so that somebody reads how. */
const ENDED_MS = 600_000;
const TESTS_MAX = 8;

interface Told {
  readonly progress: LoadTestProgress;
  readonly toldMs: number;
}

/** Load tests that have told this process how they go. */
export class LoadTestBook {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #tests = new Map<string, Told>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** The one that was heard of longest ago makes room. */
  tell(progress: LoadTestProgress): void {
    this.#tests.delete(progress.name);
    this.#tests.set(progress.name, { progress, toldMs: this.#clock.monotonic() });
    for (const name of this.#tests.keys()) {
      if (this.#tests.size <= TESTS_MAX) break;
      this.#tests.delete(name);
    }
  }

  list(): readonly LoadTestProgress[] {
    const nowMs = this.#clock.monotonic();
    for (const [name, { progress, toldMs }] of this.#tests) {
      const keptMs = progress.state === "running" ? UNHEARD_MS : ENDED_MS;
      if (nowMs - toldMs > keptMs) this.#tests.delete(name);
    }
    return [...this.#tests.values()].map(({ progress }) => progress);
  }
}
