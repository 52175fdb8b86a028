import { assertInvariant } from "../model/errors.ts";

/** One of those who share places, with all of its own takers. */
export interface PoolMember {
  /** Places that it has. */
  readonly taken: number;
  /** Its takers that wait for one. */
  readonly waiting: number;
  /** It may have more by its own limit. */
  readonly hasRoom: boolean;
  /** Gives a place, which is taken for it, to the neediest of its takers. */
  grantOne(): void;
}

/**
 * Places that several functions share, each with a limit of its own beside. A place that comes free goes to the member
 * that waits for one and has the fewest: a busy function cannot keep another from its even share.
 */
export class SlotPool {
  #limit: number;
  #taken = 0;
  /** Members with takers that wait, and some that no longer do. */
  readonly #hungry = new Set<PoolMember>();

  constructor(slots: number) {
    this.#limit = slots;
  }

  get taken(): number {
    return this.#taken;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Takers of all members that wait for a place. */
  get waiting(): number {
    let waiting = 0;
    for (const member of this.#hungry) waiting += member.waiting;
    return waiting;
  }

  get isFull(): boolean {
    return this.#taken >= this.#limit;
  }

  take(): boolean {
    // plant: the-pool-of-unreserved-places-has-one-more
    if (this.#taken >= this.#limit) return false;
    this.#taken++;
    return true;
  }

  /** A taker of the member waits from now on. */
  wait(member: PoolMember): void {
    this.#hungry.add(member);
  }

  give(): void {
    this.#taken--;
    assertInvariant(this.#taken >= 0, "A place is given back to a pool that nobody has taken");
    this.grant();
  }

  /** With fewer than are taken, nothing is taken until enough are given back. */
  resize(slots: number): void {
    this.#limit = slots;
    this.grant();
  }

  /** A member comes with what runs of it already. */
  join(taken: number): void {
    this.#taken += taken;
  }

  leave(member: PoolMember): void {
    this.#hungry.delete(member);
    this.#taken -= member.taken;
    this.grant();
  }

  grant(): void {
    while (this.#taken < this.#limit) {
      const neediest = this.#neediest();
      if (neediest === undefined) return;
      this.#taken++;
      neediest.grantOne();
    }
  }

  #neediest(): PoolMember | undefined {
    let neediest: PoolMember | undefined;
    for (const member of this.#hungry) {
      if (member.waiting === 0) this.#hungry.delete(member);
      else if (member.hasRoom && (neediest === undefined || member.taken < neediest.taken)) neediest = member;
    }
    return neediest;
  }
}
