import { Deque } from "../../lib/deque.ts";

/** What one taker has and waits for. */
class Share {
  taken = 0;
  /** It was dismissed: forgotten with its last slot, unless it comes again. */
  isLeaving = false;
  /** Called with whether a slot was granted. */
  readonly waiting = new Deque<(isGranted: boolean) => void>();
}

/**
 * A function's concurrency: so many at once, over all takers (mappings). A slot that comes free goes to the waiting taker
 * that has the fewest, so that a taker with many slow calls cannot keep another from its even share; within a taker, in the
 * order they came. Every invocation passes here, so it is made by hand: a general queue costs 3 to 4 µs a task, this next to
 * nothing while slots are free (`npm run bench -- engine`).
 */
export class Slots {
  #limit: number;
  #taken = 0;
  #waiting = 0;
  readonly #shares = new Map<string, Share>();

  constructor(slots: number) {
    this.#limit = slots;
  }

  /** Slots taken, by all takers. */
  get taken(): number {
    return this.#taken;
  }

  /** How many are taken and waited for, by all and by this taker. */
  standing(taker: string) {
    const share = this.#shares.get(taker);
    return {
      limit: this.#limit,
      running: this.#taken,
      waiting: this.#waiting,
      ownRunning: share?.taken ?? 0,
      ownWaiting: share?.waiting.size ?? 0,
    };
  }

  /** With fewer than are taken, nothing is taken until enough are given back. */
  resize(slots: number): void {
    this.#limit = slots;
    this.#grant();
  }

  /**
   * `undefined`: taken. Otherwise to be awaited, and taken if `true`. Each taken slot is given back once, by the same taker.
   */
  take(taker: string): Promise<boolean> | undefined {
    const share = this.#shareOf(taker);
    share.isLeaving = false;
    if (this.#taken < this.#limit) {
      this.#taken++;
      share.taken++;
      return undefined;
    }
    this.#waiting++;
    return new Promise((resolve) => share.waiting.push(resolve));
  }

  give(taker: string): void {
    this.#taken--;
    const share = this.#shareOf(taker);
    share.taken--;
    if (share.isLeaving && share.taken === 0) this.#shares.delete(taker);
    this.#grant();
  }

  /** Sends away those of a taker who wait: it stops, and must not wait for the slots of others to do so. */
  dismiss(taker: string): void {
    const share = this.#shares.get(taker);
    if (share === undefined) return;
    share.isLeaving = true;
    const waiting = share.waiting.take(share.waiting.size);
    this.#waiting -= waiting.length;
    if (share.taken === 0) this.#shares.delete(taker);
    for (const resolve of waiting) resolve(false);
  }

  #grant(): void {
    while (this.#waiting > 0 && this.#taken < this.#limit) {
      const next = this.#neediest();
      if (next === undefined) return;
      this.#waiting--;
      this.#taken++;
      next.taken++;
      for (const resolve of next.waiting.take(1)) resolve(true);
    }
  }

  #neediest(): Share | undefined {
    let neediest: Share | undefined;
    for (const [taker, share] of this.#shares) {
      if (share.waiting.size === 0) {
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
