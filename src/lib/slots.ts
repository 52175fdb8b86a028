import { assertInvariant } from "../model/errors.ts";
import { Deque } from "./deque.ts";
import type { PoolMember, SlotPool } from "./slot-pool.ts";

/** A place among those who wait for a slot. */
export interface Turn {
  /** `false`: it was sent away, or has left. */
  readonly granted: Promise<boolean>;
  /** Waits no longer. Nothing happens when its turn has come already. */
  leave(): void;
}

/** What one taker has and waits for. */
class Share {
  taken = 0;
  /** Those who wait and have not left. */
  waiting = 0;
  /** It was dismissed: forgotten with its last slot, unless it comes again. */
  isLeaving = false;
  readonly line = new Deque<Waiter>();

  /** The first who has not left. */
  next(): Waiter | undefined {
    for (;;) {
      const [first] = this.line.take(1);
      if (first === undefined || first.isWaiting) return first;
    }
  }

  /** Those who left are forgotten as soon as nobody waits before them. */
  trim(): void {
    while (this.line.peek()?.isWaiting === false) this.line.take(1);
  }
}

class Waiter {
  readonly granted: Promise<boolean>;
  #resolve: ((isGranted: boolean) => void) | undefined;

  constructor() {
    this.granted = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get isWaiting(): boolean {
    return this.#resolve !== undefined;
  }

  end(isGranted: boolean): void {
    this.#resolve?.(isGranted);
    this.#resolve = undefined;
  }
}

/**
 * A function's concurrency: so many at once, over all takers (mappings, the API). A slot that comes free goes to the
 * waiting taker that has the fewest, so that a taker with many slow calls cannot keep another from its even share;
 * within a taker, in the order they came. Every invocation passes here, so it is made by hand: a general queue costs 3
 * to 4 µs a task, this next to nothing while slots are free (`npm run bench -- engine`).
 */
export class Slots implements PoolMember {
  #limit: number;
  #taken = 0;
  #waiting = 0;
  readonly #shares = new Map<string, Share>();
  /** Others take of the same places. */
  #pool: SlotPool | undefined;

  constructor(slots: number) {
    this.#limit = slots;
  }

  /** From now on each slot is a place of that pool too; `undefined`: of none. */
  join(pool: SlotPool | undefined): void {
    if (pool === this.#pool) return;
    this.#pool?.leave(this);
    this.#pool = pool;
    pool?.join(this.#taken);
    if (this.#waiting > 0) pool?.wait(this);
    this.#grant();
  }

  get hasRoom(): boolean {
    return this.#taken < this.#limit;
  }

  /** Slots that could be taken now. */
  get free(): number {
    if (this.#waiting > 0 || this.#pool?.isFull === true) return 0;
    return Math.max(0, this.#limit - this.#taken);
  }

  /** Slots taken, by all takers. */
  get taken(): number {
    return this.#taken;
  }

  /** Takers that wait for one. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many are taken and waited for, by all and by this taker. */
  standing(taker: string) {
    const share = this.#shares.get(taker);
    return {
      limit: this.#limit,
      running: this.#taken,
      waiting: this.#waiting,
      ownRunning: share?.taken ?? 0,
      ownWaiting: share?.waiting ?? 0,
    };
  }

  /** With fewer than are taken, nothing is taken until enough are given back. */
  resize(slots: number): void {
    this.#limit = slots;
    this.#grant();
  }

  /**
   * `undefined`: taken. Otherwise taken once that is granted. Each taken slot is given back once, by the same taker.
   */
  take(taker: string): Turn | undefined {
    const share = this.#shareOf(taker);
    share.isLeaving = false;
    if (this.#taken < this.#limit && this.#pool?.take() !== false) {
      this.#taken++;
      share.taken++;
      return undefined;
    }
    this.#waiting++;
    share.waiting++;
    this.#pool?.wait(this);
    const waiter = new Waiter();
    share.line.push(waiter);
    return { granted: waiter.granted, leave: () => this.#leave(share, waiter) };
  }

  give(taker: string): void {
    this.#taken--;
    const share = this.#shareOf(taker);
    // plant: a-slot-is-given-back-twice
    share.taken--;
    assertInvariant(share.taken >= 0, "A slot is given back that its caller does not have");
    if (share.isLeaving && share.taken === 0) this.#shares.delete(taker);
    if (this.#pool === undefined) this.#grant();
    else this.#pool.give();
  }

  /** Sends away those of a taker who wait: it stops, and must not wait for the slots of others to do so. */
  dismiss(taker: string): void {
    const share = this.#shares.get(taker);
    if (share === undefined) return;
    share.isLeaving = true;
    this.#waiting -= share.waiting;
    share.waiting = 0;
    const line = share.line.take(share.line.size);
    if (share.taken === 0) this.#shares.delete(taker);
    for (const waiter of line) waiter.end(false);
  }

  /** Sends away all who wait, of whatever taker. */
  dismissAll(): void {
    for (const taker of [...this.#shares.keys()]) this.dismiss(taker);
  }

  #leave(share: Share, waiter: Waiter): void {
    if (!waiter.isWaiting) return;
    this.#waiting--;
    share.waiting--;
    waiter.end(false);
    share.trim();
  }

  #grant(): void {
    if (this.#pool !== undefined) {
      this.#pool.grant();
      return;
    }
    while (this.#waiting > 0 && this.#taken < this.#limit) this.grantOne();
  }

  grantOne(): void {
    const neediest = this.#neediest();
    const next = neediest?.next();
    assertInvariant(next !== undefined, "A slot is granted that nobody waits for");
    if (neediest === undefined || next === undefined) return;
    this.#waiting--;
    neediest.waiting--;
    this.#taken++;
    neediest.taken++;
    next.end(true);
  }

  #neediest(): Share | undefined {
    let neediest: Share | undefined;
    for (const [taker, share] of this.#shares) {
      if (share.waiting === 0) {
        // A taker that has and wants nothing may be gone for good.
        if (share.taken === 0) this.#shares.delete(taker);
      } else if (neediest === undefined || share.taken < neediest.taken) neediest = share;
    }
    return neediest;
  }

  #shareOf(taker: string): Share {
    let share = this.#shares.get(taker);
    if (share === undefined) {
      share = new Share();
      this.#shares.set(taker, share);
    }
    return share;
  }
}
