const LATENCY_MS_MAX = 5;

/** 0 to 5 ms, the same ones in every run. */
export function* seededLatencies(): Generator<number, never> {
  let state = 42;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield (state / 2 ** 32) * LATENCY_MS_MAX;
  }
}

/**
 * Sleeps with less error than Node's timers, which round up to whole milliseconds and would hide what is measured: one
 * loop looks at the clock between macrotasks.
 */
export class LatencyWheel {
  readonly #latencies: Generator<number, never>;
  #sleepers: { dueMs: number; wake: () => void }[] = [];

  constructor(latencies: Generator<number, never>) {
    this.#latencies = latencies;
  }

  sleep(): Promise<void> {
    return new Promise((wake) => {
      this.#sleepers.push({ dueMs: performance.now() + this.#latencies.next().value, wake });
      if (this.#sleepers.length === 1) setImmediate(this.#turn);
    });
  }

  readonly #turn = (): void => {
    const nowMs = performance.now();
    const due = this.#sleepers.filter((sleeper) => sleeper.dueMs <= nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.dueMs > nowMs);
    for (const { wake } of due) wake();
    if (this.#sleepers.length > 0) setImmediate(this.#turn);
  };
}
