import { SlotPool } from "../lib/slot-pool.ts";
import type { SharedLimit } from "./shared-limit.ts";
import type { SharedLimits } from "./shared-limits.ts";

/** AWS keeps so many places of an account for functions that reserve none (invocation §8); of a small one all. */
const UNRESERVED_MIN = 100;

/** No function has a name with brackets. */
const POOL_NAME = "(unreserved)";

/** How many places have to stay for functions that reserve none. */
export function unreservedMin(accountConcurrency: number): number {
  return Math.min(UNRESERVED_MIN, accountConcurrency);
}

/** What functions that reserve no concurrency share: the account's, without what others reserve. */
export class UnreservedPool {
  readonly slots: SlotPool;
  readonly #account: number;
  #places: number;
  #share: SharedLimit | undefined;

  constructor(accountConcurrency: number) {
    this.#account = accountConcurrency;
    this.#places = accountConcurrency;
    this.slots = new SlotPool(accountConcurrency);
  }

  /** The part of this process, where processes share them. */
  get share(): SharedLimit | undefined {
    return this.#share;
  }

  open(limits: SharedLimits): void {
    this.slots.resize(0);
    this.#share = limits.open({
      fn: POOL_NAME,
      limit: () => this.#places,
      running: () => this.slots.taken,
      waiting: () => this.slots.waiting,
      onChange: (startsBelow) => this.slots.resize(startsBelow),
    });
  }

  /** So much is reserved by all functions together. */
  reserve(places: number): void {
    // plant: what-others-reserve-is-shared-once-more
    const left = Math.max(0, this.#account - places);
    if (left === this.#places) return;
    this.#places = left;
    if (this.#share === undefined) this.slots.resize(left);
    else this.#share.limitChanged();
  }
}
