/** What Kinesis allows all standard readers of a shard together (streams §2.2). */
export interface QuotaLimits {
  /** GetRecords calls of any second. */
  readonly callsPerSecond: number;
  /** Bytes per second; a larger response is worked off before the next call. */
  readonly bytesPerSecond: number;
}

export const KINESIS_QUOTA: QuotaLimits = { callsPerSecond: 5, bytesPerSecond: 2 * 1024 * 1024 };

const SECOND_MS = 1_000;
/** Shards that were not read for so long have their whole quota again. */
const FORGET_MS = 60_000;
const SHARDS_KEPT = 1_000;

/** The quotas of all shards that this process reads: mappings that read the same shard share its quota. */
export class ShardQuotas {
  readonly #limits: QuotaLimits;
  readonly #now: () => number;
  readonly #quotas = new Map<string, ShardQuota>();

  constructor(limits: QuotaLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** `shardKey` names a shard in the whole world: stream ARN and shard id. */
  of(shardKey: string): ShardQuota {
    let quota = this.#quotas.get(shardKey);
    if (quota === undefined) {
      if (this.#quotas.size >= SHARDS_KEPT) this.#forgetUnused();
      quota = new ShardQuota(this.#limits, this.#now);
      this.#quotas.set(shardKey, quota);
    }
    return quota;
  }

  #forgetUnused(): void {
    const now = this.#now();
    for (const [key, quota] of this.#quotas) {
      if (quota.freeSinceMs(now) > FORGET_MS) this.#quotas.delete(key);
    }
  }
}

/** Times are milliseconds of a clock that never goes back. */
export class ShardQuota {
  readonly #limits: QuotaLimits;
  readonly #now: () => number;
  readonly #slotMs: number;
  /** When the last calls were made, oldest first; as many as a second may hold. */
  readonly #calls: number[] = [];
  #nextSlotMs = Number.NEGATIVE_INFINITY;
  #bytesFreeMs = Number.NEGATIVE_INFINITY;

  constructor(limits: QuotaLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#slotMs = SECOND_MS / limits.callsPerSecond;
  }

  /** A turn of one reader. Turns are given in the order of asking, so that no reader of the shard starves. */
  turn(): QuotaTurn {
    return new QuotaTurn(this, this.#slotMs);
  }

  /** The next moment at which nobody has a turn yet. */
  reserve(now: number): number {
    const slot = Math.max(now, this.#nextSlotMs, this.#bytesFreeMs);
    this.#nextSlotMs = slot + this.#slotMs;
    return slot;
  }

  /** Milliseconds until a call is within the limits, whoever's turn it is. */
  waitMs(now: number): number {
    const oldest = this.#calls.length < this.#limits.callsPerSecond ? undefined : this.#calls[0];
    const callFreeMs = oldest === undefined ? Number.NEGATIVE_INFINITY : oldest + SECOND_MS;
    return Math.max(0, callFreeMs - now, this.#bytesFreeMs - now);
  }

  called(): void {
    if (this.#calls.length >= this.#limits.callsPerSecond) this.#calls.shift();
    this.#calls.push(this.#now());
  }

  spent(bytes: number): void {
    const durationMs = (bytes / this.#limits.bytesPerSecond) * SECOND_MS;
    this.#bytesFreeMs = Math.max(this.#bytesFreeMs, this.#now()) + durationMs;
  }

  get now(): number {
    return this.#now();
  }

  freeSinceMs(now: number): number {
    return now - Math.max(this.#nextSlotMs, this.#bytesFreeMs);
  }
}

/** One reader's place in the queue for a shard. */
export class QuotaTurn {
  readonly #quota: ShardQuota;
  readonly #slotMs: number;
  #reservedMs: number | undefined;

  constructor(quota: ShardQuota, slotMs: number) {
    this.#quota = quota;
    this.#slotMs = slotMs;
  }

  /** Milliseconds until this reader may call; 0: now. Asking takes a place in the queue. */
  waitMs(): number {
    const now = this.#quota.now;
    // A turn that was not used in its time has gone by: others count on the spacing.
    if (this.#reservedMs === undefined || now > this.#reservedMs + this.#slotMs) {
      this.#reservedMs = this.#quota.reserve(now);
    }
    return Math.max(this.#reservedMs - now, this.#quota.waitMs(now));
  }

  /** The call is being made. */
  use(): void {
    this.#reservedMs = undefined;
    this.#quota.called();
  }

  spent(bytes: number): void {
    this.#quota.spent(bytes);
  }
}
