import type { ShardProgress } from "../ports/progress-store.ts";
import type { LeaseTimes } from "./lease.ts";

interface Sighting {
  epoch: number;
  counter: number;
  /** Monotonic time at which this epoch and counter were first seen. */
  sinceMs: number;
  /** It was not seen to move, and the store was away before: it may have stood still for long. */
  isDoubtful: boolean;
}

export interface LeasePlan {
  /** To be acquired now, in this order. */
  readonly acquire: readonly ShardProgress[];
  /** To be asked for, since its owner has more than its share. */
  readonly request: ShardProgress | undefined;
  /** After so long a lease that stands still is free for this process: the next look is due then, if not sooner. */
  readonly dueInMs: number;
}

/** Monotonic times. */
export type Idleness =
  | { readonly kind: "unowned"; readonly sinceMs: number }
  | { readonly kind: "handover"; readonly to: string; readonly sinceMs: number }
  | { readonly kind: "lease"; readonly owner: string; readonly untilMs: number; readonly sinceMs: number };

/** Without an owner a shard needs no fence: this is patience with a taker, not safety. */
const PROMISED_RENEWALS = 3;

/**
 * What one process has seen of the leases of a mapping, and what it should do about them. Expiry is judged by this
 * process's own monotonic clock since it last saw a counter move: two hosts' wall clocks are never compared.
 */
export class LeaseBook {
  readonly #owner: string;
  readonly #leaseDurationMs: number;
  /** How long a free shard is left to those who have less than their share. */
  readonly #leftOverMs: number;
  /** How long a shard is kept for the process that had asked for it: it looks at every renewal, unless it is gone. */
  readonly #promiseMs: number;
  readonly #sightings = new Map<string, Sighting>();
  #isBlind = false;

  constructor(owner: string, { leaseDurationMs, leaseRenewalMs }: LeaseTimes) {
    this.#owner = owner;
    this.#leaseDurationMs = leaseDurationMs;
    // Others saw a lease for the last time at most one renewal later; most of them half of that.
    this.#leftOverMs = leaseRenewalMs / 2;
    this.#promiseMs = Math.min(leaseDurationMs, PROMISED_RENEWALS * leaseRenewalMs);
  }

  /** Nothing could be seen: what is seen next has stood still for nobody knows how long. */
  couldNotLook(): void {
    this.#isBlind = true;
  }

  observe(rows: readonly ShardProgress[], nowMs: number): void {
    const known = new Set<string>();
    for (const { shardId, epoch, counter } of rows) {
      known.add(shardId);
      const seen = this.#sightings.get(shardId);
      // plant: a-lease-that-moves-is-taken-for-one-that-stands-still
      if (seen?.epoch !== epoch || seen.counter !== counter) {
        const isDoubtful = seen === undefined && this.#isBlind;
        this.#sightings.set(shardId, { epoch, counter, sinceMs: nowMs, isDoubtful });
      }
    }
    this.#isBlind = false;
    for (const shardId of this.#sightings.keys()) if (!known.has(shardId)) this.#sightings.delete(shardId);
  }

  /**
   * Why a shard that is to be worked on, and that this process does not have, is with nobody; `undefined`: its owner
   * lives, as far as it was seen. Behind an outage nobody has seen that: its lease is waited for until it moves.
   * `sinceMs`: since when it is seen like that.
   */
  idleness({ shardId, owner, handoverTo }: ShardProgress, nowMs: number): Idleness | undefined {
    const { sinceMs, isDoubtful } = this.#sightings.get(shardId) ?? { sinceMs: nowMs, isDoubtful: false };
    if (owner === undefined)
      return handoverTo === undefined || handoverTo === this.#owner
        ? { kind: "unowned", sinceMs }
        : { kind: "handover", to: handoverTo, sinceMs };
    if (owner === this.#owner) return { kind: "unowned", sinceMs };
    // plant: a-lease-that-nobody-could-watch-is-taken-for-a-living-one
    if (!isDoubtful && nowMs - sinceMs < this.#promiseMs) return undefined;
    return { kind: "lease", owner, untilMs: sinceMs + this.#leaseDurationMs, sinceMs };
  }

  /**
   * `active`: the shards that are to be worked on now, in the order of the store. `held`: those that this process works
   * on. Every process aims at its even share, so that together they take all; what is left over nevertheless, since
   * others have to watch it longer than we, is taken by whoever may, and evened out afterwards.
   */
  plan(active: readonly ShardProgress[], held: ReadonlySet<string>, nowMs: number): LeasePlan {
    const loads = this.#loads(active, held, nowMs);
    const share = Math.ceil(active.length / loads.size);
    let load = held.size;
    const acquire: ShardProgress[] = [];
    for (const row of active) {
      if (held.has(row.shardId) || !this.#isFree(row, nowMs)) continue;
      if (load >= share && !this.#isLeftOver(row, nowMs)) continue;
      acquire.push(row);
      load++;
    }
    const isShort = acquire.length === 0 && load < Math.floor(active.length / loads.size);
    const request = isShort ? this.#ofMostLoaded(active, loads, load) : undefined;
    return { acquire, request, dueInMs: this.#dueInMs(active, held, nowMs) };
  }

  /** Work on a shard whose owner is gone is to go on at its lease's end, not a look later. */
  #dueInMs(active: readonly ShardProgress[], held: ReadonlySet<string>, nowMs: number): number {
    let dueInMs = Number.POSITIVE_INFINITY;
    for (const row of active) {
      if (held.has(row.shardId)) continue;
      const freeInMs = this.#freeAfterMs(row) - this.#stoodStillMs(row.shardId, nowMs);
      for (const inMs of [freeInMs, freeInMs + this.#leftOverMs]) {
        if (inMs > 0) dueInMs = Math.min(dueInMs, inMs);
      }
    }
    return dueInMs;
  }

  /** Shards of each living owner; this process is one, whatever it holds. */
  #loads(active: readonly ShardProgress[], held: ReadonlySet<string>, nowMs: number): Map<string, number> {
    const loads = new Map<string, number>([[this.#owner, held.size]]);
    for (const { owner, shardId } of active) {
      if (owner === undefined || owner === this.#owner || this.#isExpired(shardId, nowMs)) continue;
      loads.set(owner, (loads.get(owner) ?? 0) + 1);
    }
    return loads;
  }

  #isFree(row: ShardProgress, nowMs: number): boolean {
    // Our own name on a shard that we do not work on: the reply to an earlier acquire was lost.
    if (row.owner === this.#owner) return true;
    if (row.owner !== undefined) return this.#isExpired(row.shardId, nowMs);
    const isPromised = row.handoverTo !== undefined && row.handoverTo !== this.#owner;
    return !isPromised || this.#stoodStillMs(row.shardId, nowMs) >= this.#promiseMs;
  }

  #isLeftOver(row: ShardProgress, nowMs: number): boolean {
    return this.#stoodStillMs(row.shardId, nowMs) >= this.#freeAfterMs(row) + this.#leftOverMs;
  }

  /** How long a lease stands still before this process may take it. */
  #freeAfterMs({ owner, handoverTo }: ShardProgress): number {
    if (owner !== undefined) return this.#leaseDurationMs;
    return handoverTo === undefined || handoverTo === this.#owner ? 0 : this.#promiseMs;
  }

  #isExpired(shardId: string, nowMs: number): boolean {
    // plant: a-lease-is-taken-after-half-its-time
    // plant: a-dead-owners-lease-is-taken-after-three-times-its-duration
    return this.#stoodStillMs(shardId, nowMs) >= this.#leaseDurationMs;
  }

  /** How long we have seen the lease as it is; nothing for one that was never seen. */
  #stoodStillMs(shardId: string, nowMs: number): number {
    const seen = this.#sightings.get(shardId);
    return seen === undefined ? Number.NEGATIVE_INFINITY : nowMs - seen.sinceMs;
  }

  /**
   * Only from an owner that has two more than we: otherwise nothing is gained, and processes that outnumber the shards
   * would hand them round for ever, for a shard between two owners makes the others' even share look larger than it is.
   */
  #ofMostLoaded(
    active: readonly ShardProgress[],
    loads: ReadonlyMap<string, number>,
    ownLoad: number,
  ): ShardProgress | undefined {
    const [owner, mostLoad] = [...loads].reduce((most, next) => (next[1] > most[1] ? next : most));
    if (owner === this.#owner || mostLoad < ownLoad + 2) return undefined;
    const isAsked = active.some((row) => row.handoverTo === this.#owner);
    return isAsked ? undefined : active.find((row) => row.owner === owner && row.handoverTo === undefined);
  }
}
