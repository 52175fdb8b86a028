import {
  type EnvironmentFigures,
  type EnvironmentStanding,
  type EnvironmentWatch,
  eachOnce,
  type ResetReason,
  type Separation,
} from "../ports/environment-watch.ts";
import { Buckets } from "./mapping-series.ts";

/** From a shell's script to what has its ten seconds, and more where it is let. */
const INIT_SECONDS_BOUNDS: readonly number[] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 130];
const MINUTE_MS = 60_000;
const MINUTES = 5;

/** Plain numbers of one function's environments, in this process. */
export class EnvironmentSeries implements EnvironmentWatch {
  readonly standings: Record<EnvironmentStanding, number> = {
    starting: 0,
    idle: 0,
    busy: 0,
    resetting: 0,
    stopped: 0,
    abandoned: 0,
  };
  readonly resets: Record<ResetReason, number> = { timeout: 0, exit: 0, initError: 0, abandoned: 0 };
  readonly initSeconds = new Buckets(INIT_SECONDS_BOUNDS);
  coldStarts = 0;
  startFailures = 0;
  memoryMaxMb: number | undefined;
  readonly #fn: string;
  #lastInitMs: number | undefined;
  #failing: EnvironmentFigures["failing"];
  /** One for each version that is open. */
  readonly #separations: Separation[] = [];
  /** Cold starts of the last minutes, by minute. */
  readonly #minutes = new Map<number, number>();

  constructor(fn: string) {
    this.#fn = fn;
  }

  opened(separation: Separation): void {
    this.#separations.push(separation);
  }

  closed(separation: Separation): void {
    const index = this.#separations.indexOf(separation);
    if (index >= 0) this.#separations.splice(index, 1);
  }

  moved(from: EnvironmentStanding | undefined, to: EnvironmentStanding | undefined): void {
    if (from !== undefined) this.standings[from] -= 1;
    if (to !== undefined) this.standings[to] += 1;
  }

  started(initMs: number): void {
    this.coldStarts += 1;
    this.initSeconds.observe(initMs / 1000);
    this.#lastInitMs = initMs;
    this.#failing = undefined;
    const minute = Math.floor(Date.now() / MINUTE_MS);
    this.#minutes.set(minute, (this.#minutes.get(minute) ?? 0) + 1);
    for (const each of this.#minutes.keys()) if (each <= minute - MINUTES) this.#minutes.delete(each);
  }

  startFailed(errorType: string): void {
    this.startFailures += 1;
    this.#failing = { errorType, atMs: Date.now() };
  }

  reset(reason: ResetReason): void {
    this.resets[reason] += 1;
  }

  memory(megabytes: number): void {
    this.memoryMaxMb = Math.max(this.memoryMaxMb ?? 0, megabytes);
  }

  figures(): EnvironmentFigures {
    const minute = Math.floor(Date.now() / MINUTE_MS);
    const lately = [...this.#minutes].filter(([each]) => each > minute - MINUTES);
    return {
      fn: this.#fn,
      separations: eachOnce(this.#separations),
      standings: { ...this.standings },
      coldStarts: this.coldStarts,
      coldStartsLately: lately.reduce((sum, [, count]) => sum + count, 0),
      startFailures: this.startFailures,
      resets: { ...this.resets },
      ...(this.#lastInitMs === undefined ? {} : { lastInitMs: this.#lastInitMs }),
      ...(this.memoryMaxMb === undefined ? {} : { memoryMaxMb: this.memoryMaxMb }),
      ...(this.#failing === undefined ? {} : { failing: this.#failing }),
    };
  }
}
