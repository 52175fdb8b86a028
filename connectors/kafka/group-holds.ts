import type { Checkpoint } from "../../src/model/checkpoint.ts";

/** A partition that this member has: it may read and commit it until it gave it back or was thrown out. */
export interface Hold {
  readonly partition: number;
  /** Rises with every taking of the partition by this member, and is never below the group's generation then. */
  epoch: number;
  /** Moves with every sign of life. */
  counter: number;
  /** Who works on it: the engine's owner. `undefined`: nobody yet. */
  owner: string | undefined;
  /** It is another's by the newest assignment, and to be given back once what runs has ended. */
  isRevoked: boolean;
  /** Where to go on; `undefined` until it was looked up. */
  checkpoint: Checkpoint | undefined;
  /** Why it goes on there though nothing was committed for it. */
  begun: string | undefined;
  /** Revision of the newest commit of this epoch. */
  revision: number;
}

/** What a member has of a topic, from assignment to assignment. */
export class GroupHolds {
  readonly #holds = new Map<number, Hold>();
  /** Highest epoch of each partition that was ever held: a later taking has a higher one. */
  readonly #epochs = new Map<number, number>();

  get(partition: number): Hold | undefined {
    return this.#holds.get(partition);
  }

  all(): readonly Hold[] {
    return [...this.#holds.values()];
  }

  /** What the group's leader is told. */
  get partitions(): readonly number[] {
    return [...this.#holds.keys()].sort((a, b) => a - b);
  }

  get hasRevoked(): boolean {
    return this.all().some(({ isRevoked }) => isRevoked);
  }

  /**
   * Takes over a new assignment. Partitions that are lost by it and that nobody works on are given back here and now.
   * `true`: something was, and the group has to be told.
   */
  assign(assigned: ReadonlySet<number>): boolean {
    let hasGivenBack = false;
    for (const hold of this.all()) {
      hold.isRevoked = !assigned.has(hold.partition);
      if (!hold.isRevoked || hold.owner !== undefined) continue;
      this.#holds.delete(hold.partition);
      hasGivenBack = true;
    }
    for (const partition of assigned) {
      if (!this.#holds.has(partition)) this.#holds.set(partition, newHold(partition));
    }
    return hasGivenBack;
  }

  take(hold: Hold, owner: string, generation: number): void {
    hold.epoch = Math.max(generation, (this.#epochs.get(hold.partition) ?? 0) + 1);
    this.#epochs.set(hold.partition, hold.epoch);
    hold.owner = owner;
    hold.counter++;
    hold.revision = Number.NEGATIVE_INFINITY;
  }

  /** The engine works on it no more. */
  giveBack(hold: Hold): void {
    hold.owner = undefined;
    hold.counter++;
    if (hold.isRevoked) this.#holds.delete(hold.partition);
  }

  /** Time is up for what should have been given back. `true`: something was dropped. */
  dropRevoked(): boolean {
    const revoked = this.all().filter(({ isRevoked }) => isRevoked);
    for (const { partition } of revoked) this.#holds.delete(partition);
    return revoked.length > 0;
  }

  /** Thrown out of the group: all of it may be another's now. */
  clear(): void {
    this.#holds.clear();
  }
}

function newHold(partition: number): Hold {
  return {
    partition,
    epoch: 0,
    counter: 0,
    owner: undefined,
    isRevoked: false,
    checkpoint: undefined,
    begun: undefined,
    revision: Number.NEGATIVE_INFINITY,
  };
}
