import type { QueueMapping } from "../../model/mapping.ts";

/** Batches at once to begin with (queues §2.4). */
const START = 5;
/** What an idle mapping may go down to. */
const IDLE = 2;
/** Standard mode's cap. */
const CAP = 1_250;
const GROWTH_PER_MINUTE = 300;
const PROVISIONED_GROWTH_PER_MINUTE = 1_000;
/** Batches at once of one provisioned event poller. */
const BATCHES_PER_POLLER = 10;
/** One bad moment of the function is many failed batches: it halves the limit once. */
const SHRINK_INTERVAL_MS = 1_000;

/** Batches at once that a mapping asks never to be passed, over all processes; `undefined`: it asks for none. */
export function maximumOf({ concurrencyMax, provisionedPollers }: QueueMapping): number | undefined {
  return provisionedPollers === undefined ? concurrencyMax : provisionedPollers.max * BATCHES_PER_POLLER;
}

/**
 * How many batches of a queue may run at once (queues §2.4): up while there is more to do than may run, at most 300 a
 * minute; halved by errors and throttles, since AWS publishes no law of its own; down when idle.
 */
export class BatchScaling {
  readonly #floor: number;
  readonly #idle: number;
  readonly #cap: number;
  readonly #growthPerMs: number;
  #limit: number;
  #grownMs: number;
  #shrunkMs = Number.NEGATIVE_INFINITY;

  constructor(mapping: QueueMapping, nowMs: number) {
    const { concurrencyMax, provisionedPollers } = mapping;
    this.#cap = maximumOf(mapping) ?? CAP;
    this.#floor =
      provisionedPollers === undefined
        ? Math.min(IDLE, this.#cap)
        : provisionedPollers.min * BATCHES_PER_POLLER;
    const start = provisionedPollers === undefined ? START : this.#floor;
    this.#limit = Math.min(start, this.#cap);
    this.#idle = concurrencyMax === undefined ? this.#floor : this.#limit;
    const perMinute = provisionedPollers === undefined ? GROWTH_PER_MINUTE : PROVISIONED_GROWTH_PER_MINUTE;
    this.#growthPerMs = perMinute / 60_000;
    this.#grownMs = nowMs;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** All that may run does, and there is more. */
  saturated(nowMs: number): void {
    const elapsedMs = Math.min(nowMs - this.#grownMs, 1_000);
    this.#grownMs = nowMs;
    // plant: batches-at-once-grow-ten-times-too-fast
    this.#limit = Math.min(this.#cap, this.#limit + elapsedMs * this.#growthPerMs);
  }

  get isAtCap(): boolean {
    return this.#limit >= this.#cap;
  }

  /** An invocation failed or was throttled. True when that makes the limit smaller. */
  failed(nowMs: number): boolean {
    if (nowMs - this.#shrunkMs < SHRINK_INTERVAL_MS) return false;
    const before = this.limit;
    this.#shrunkMs = nowMs;
    this.#grownMs = nowMs;
    // plant: failures-do-not-slow-a-queue-down
    this.#limit = Math.max(this.#floor, this.#limit / 2);
    return this.limit < before;
  }

  /** A receive waited in vain. */
  idle(nowMs: number): void {
    this.#grownMs = nowMs;
    if (this.#limit > this.#idle) this.#limit = Math.max(this.#idle, this.#limit - 1);
  }
}
