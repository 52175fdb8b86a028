import type { LoadEngine } from "./load-engine.ts";
import type { MemorySample } from "./load-result.ts";
import { type TimedValue, type Trend, trendOf } from "./memory-trend.ts";

export interface MemoryWatchOptions {
  readonly engine: LoadEngine;
  readonly sampleMs: number;
  readonly collectMs: number;
  /** Milliseconds since the first record was due. */
  readonly now: () => number;
}

/** Looks at the engine's memory and CPU again and again. */
export class MemoryWatch {
  readonly samples: MemorySample[] = [];
  readonly #options: MemoryWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #collectAtMs = 0;
  #engine = 1;
  #before: { readonly atMs: number; readonly cpuMicros: number } | undefined;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#look(), this.#options.sampleMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The process is a new one: its memory and CPU begin anew. */
  restarted(): void {
    this.#engine += 1;
    this.#before = undefined;
  }

  async #look(): Promise<void> {
    const { engine, now, sampleMs, collectMs } = this.#options;
    const process = this.#engine;
    const isCollected = now() >= this.#collectAtMs;
    if (isCollected) this.#collectAtMs = now() + collectMs;
    const answer = await engine.probe(isCollected);
    if (this.#timer === undefined) return;
    if (answer !== undefined && process === this.#engine) {
      const { rssBytes, heapBytes, externalBytes, cpuMicros } = answer;
      const atMs = now();
      const before = this.#before;
      const cpuPercent =
        before === undefined
          ? undefined
          : (cpuMicros - before.cpuMicros) / 10 / Math.max(1, atMs - before.atMs);
      this.#before = { atMs, cpuMicros };
      this.samples.push({
        atMs,
        rssBytes,
        heapBytes,
        externalBytes,
        isCollected,
        cpuPercent,
        engine: process,
      });
    }
    this.#timer = setTimeout(() => void this.#look(), sampleMs);
  }
}

const MIB = 1024 * 1024;

/**
 * Growth in MiB an hour of the engine's last process, its warm-up left out. The heap is judged by samples after a
 * garbage collection only; resident memory by the same moments, since garbage makes it jump.
 */
export function memoryTrends(
  samples: readonly MemorySample[],
  warmupMs: number,
  endMs: number,
): { readonly rss: Trend | undefined; readonly heap: Trend | undefined } {
  const last = samples.at(-1)?.engine;
  const ofLast = samples.filter(({ engine }) => engine === last);
  const startedMs = last === 1 ? 0 : (ofLast[0]?.atMs ?? 0);
  const judged = ofLast.filter(
    ({ atMs, isCollected }) => isCollected && atMs >= startedMs + warmupMs && atMs <= endMs,
  );
  const trend = (bytes: (sample: MemorySample) => number) =>
    trendOf(judged.map((sample): TimedValue => ({ atMs: sample.atMs, value: bytes(sample) / MIB })));
  return {
    rss: trend(({ rssBytes }) => rssBytes),
    heap: trend(({ heapBytes, externalBytes }) => heapBytes + externalBytes),
  };
}
