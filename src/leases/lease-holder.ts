import type { RepeatedLines } from "../lib/repeated-lines.ts";
import { every } from "../lib/sleep.ts";
import { WakeableLoop } from "../lib/wakeable-loop.ts";
import { assertInvariant, describeError } from "../model/errors.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { ProgressStore, ShardProgress } from "../ports/progress-store.ts";
import type { MarkName, Telemetry } from "../ports/telemetry.ts";
import { Lease, type LeaseTimes, liveUntilMs } from "./lease.ts";
import { type Idleness, LeaseBook, type LeasePlan } from "./lease-book.ts";

type LeaseStore = Pick<
  ProgressStore,
  "acquire" | "renew" | "release" | "requestHandover" | "onChange" | "sessionMs"
>;

/** What works under a lease. */
export interface Tenant {
  readonly lease: Lease;
}

export interface LeaseHolderOptions<T extends Tenant> {
  readonly mappingUuid: string;
  /** For people. */
  readonly mapping: string;
  readonly owner: string;
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly lines: RepeatedLines;
  readonly settings: LeaseTimes;
  /** With what an earlier holder of the same leases has seen in this process; absent: nothing was seen yet. */
  readonly book?: LeaseBook | undefined;
  /** A broker divides the leases: what the store lists is ours to take, and the broker says when one is lost. */
  readonly isDividedByBroker: boolean;
  /** Said of a lease that was another owner's. */
  readonly takenOver: MarkName;
  /** One look: `renewAll`, then `plan` and `take` by what the store lists. Never rejects. */
  look(): Promise<void>;
  /** A lease was taken: work begins under it. */
  begin(lease: Lease, taken: ShardProgress): T;
  /** Another process asks for it: it is to be given back when its work allows it. */
  onWanted(tenant: T, claimant: string): void;
  /** Another owner has it: what works under it has ended. */
  onLost(tenant: T): void;
  /** A renewal was answered (`undefined`) or failed: without one all that works under leases stops soon. */
  onRenewal(failure: unknown): void;
}

/**
 * The leases of a mapping that this process holds: takes what is free or left behind, within its even share; renews
 * them, whatever else waits; tells who works under one when another process asks for it or has it; gives back. All time
 * is the Clock port's, and no two hosts' clocks are compared.
 */
export class LeaseHolder<T extends Tenant> {
  readonly #options: LeaseHolderOptions<T>;
  readonly #book: LeaseBook;
  readonly #renewalMs: number;
  readonly #tenants = new Map<string, T>();
  readonly #stop = new AbortController();
  readonly #end = new AbortController();
  #isAbandoned = false;
  /** After which a lease of others may be free, as of the last look. */
  #dueInMs = Number.POSITIVE_INFINITY;
  readonly #loop: WakeableLoop;
  #looped: Promise<void> = Promise.resolve();
  #pulse: Pick<ScheduledCall, "cancel"> | undefined;
  #endOfChanges: (() => void) | undefined;

  constructor(options: LeaseHolderOptions<T>) {
    this.#options = options;
    const { owner, store, clock, settings, look, book } = options;
    // plant: a-lease-is-renewed-once-in-its-time
    this.#renewalMs = settings.leaseRenewalMs;
    const isOutlived = this.#renewalMs < settings.leaseDurationMs / 3;
    assertInvariant(isOutlived, "a lease does not outlive two renewals that fail");
    const isCovered = (store.sessionMs ?? Number.POSITIVE_INFINITY) >= settings.leaseDurationMs;
    assertInvariant(isCovered, "a broker gives a shard away before its lease ends here");
    this.#book = book ?? new LeaseBook(owner, settings);
    this.#loop = new WakeableLoop({
      clock,
      signal: this.#end.signal,
      pauseMs: () => Math.min(this.#renewalMs, this.#dueInMs),
      turn: look,
    });
  }

  start(): void {
    const { store, mappingUuid, clock, isDividedByBroker } = this.#options;
    this.#endOfChanges = store.onChange?.(mappingUuid, () => this.wake());
    this.#looped = this.#loop.run();
    // A look may wait for a source that lists slowly, or for a store; leases do not wait with it.
    if (!isDividedByBroker) this.#pulse = every(clock, this.#renewalMs, () => this.#renewOverdue());
  }

  /** There is something new to look at. */
  wake(): void {
    this.#loop.wake();
  }

  /** Aborts with `stop`. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  get tenants(): Iterable<T> {
    return this.#tenants.values();
  }

  get size(): number {
    return this.#tenants.size;
  }

  tenantOf(shardId: string): T | undefined {
    return this.#tenants.get(shardId);
  }

  /** Before `start`. */
  adopt(tenant: T): void {
    this.#tenants.set(tenant.lease.shardId, tenant);
  }

  /** What is held is another holder's of this process from now on, and this one has ended. */
  handOver(): readonly T[] {
    void this.end();
    const tenants = [...this.#tenants.values()].filter(({ lease }) => !lease.isEnding);
    for (const tenant of tenants) this.#forget(tenant);
    return tenants;
  }

  /** Takes nothing and asks for nothing any more. What is held is renewed until it is given back. */
  stop(): void {
    this.#stop.abort();
  }

  /** Looks no more and renews nothing. Resolves when the last look has ended. */
  end(): Promise<void> {
    this.#stop.abort();
    this.#end.abort();
    this.#endOfChanges?.();
    this.#pulse?.cancel();
    return this.#looped;
  }

  /** Whoever stopped us may close the store now: what is held runs out by itself. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  async renewAll(): Promise<void> {
    this.#dueInMs = Number.POSITIVE_INFINITY;
    await Promise.all([...this.#tenants.values()].map((tenant) => this.#renew(tenant)));
  }

  /**
   * What the store lists, before anything else of the look: a lease stands still from when it is first seen to, however
   * long the source takes to say which shards there are.
   */
  observe(rows: readonly ShardProgress[]): void {
    if (!this.#options.isDividedByBroker) this.#book.observe(rows, this.#options.clock.monotonic());
  }

  /** The store did not say what it lists. */
  couldNotLook(): void {
    this.#book.couldNotLook();
  }

  /** `rows`: all that the store lists. `active`: those that are to be worked on now, in the order of the store. */
  plan(rows: readonly ShardProgress[], active: readonly ShardProgress[]): LeasePlan {
    if (this.#options.isDividedByBroker) {
      const acquire = active.filter(({ shardId }) => !this.#tenants.has(shardId));
      return { acquire, request: undefined, dueInMs: Number.POSITIVE_INFINITY };
    }
    const nowMs = this.#options.clock.monotonic();
    this.#book.observe(rows, nowMs);
    const plan = this.#book.plan(active, new Set(this.#tenants.keys()), nowMs);
    this.#dueInMs = plan.dueInMs;
    return plan;
  }

  /** As `LeaseBook.idleness`, of what the last plan has seen. */
  idleness(row: ShardProgress): Idleness | undefined {
    if (this.#options.isDividedByBroker || this.#tenants.has(row.shardId)) return undefined;
    return this.#book.idleness(row, this.#options.clock.monotonic());
  }

  async take({ acquire, request }: LeasePlan): Promise<void> {
    const { store, mappingUuid, owner } = this.#options;
    // All of them are waited for, whichever fails: the next look would ask again for one that is under way, and two
    // would work under its name.
    // plant: a-look-ends-while-leases-are-asked-for
    const acquired = await Promise.allSettled(acquire.map((row) => this.#acquire(row)));
    for (const { reason } of acquired.filter((each) => each.status === "rejected")) throw reason;
    if (request === undefined || this.#stop.signal.aborted) return;
    await store.requestHandover(mappingUuid, request.shardId, request, owner);
  }

  async #acquire(row: ShardProgress): Promise<void> {
    const { store, mappingUuid, mapping, owner, clock, settings, telemetry } = this.#options;
    const { shardId } = row;
    const askedMs = clock.monotonic();
    const acquired = await store.acquire(mappingUuid, shardId, owner, row);
    if (acquired === undefined) return;
    if (row.owner !== undefined && row.owner !== owner) telemetry.mark(this.#options.takenOver);
    const lease = new Lease({ shardId, owner, epoch: acquired.epoch }, clock, askedMs, settings);
    telemetry.count("leases_acquired", mapping, 1);
    if (this.#stop.signal.aborted) return await this.#release(lease);
    // plant: a-look-ends-while-leases-are-asked-for-2
    assertInvariant(!this.#tenants.has(shardId), "a lease is taken twice");
    this.#tenants.set(shardId, this.#options.begin(lease, acquired));
  }

  #renewOverdue(): void {
    const { clock } = this.#options;
    for (const tenant of this.#tenants.values()) {
      if (clock.monotonic() - tenant.lease.askedMs >= this.#renewalMs) void this.#renew(tenant);
    }
  }

  async #renew(tenant: T): Promise<void> {
    const { store, mappingUuid, mapping, clock, telemetry, settings, lines } = this.#options;
    const { lease } = tenant;
    if (lease.isRenewing) return;
    const askedMs = clock.monotonic();
    if (askedMs >= lease.liveUntilMs && !lease.isExpired) {
      lease.isExpired = true;
      telemetry.count("leases_expired", mapping, 1);
    }
    lease.askedMs = askedMs;
    lease.isRenewing = true;
    try {
      const renewal = await store.renew(mappingUuid, lease.held);
      this.#options.onRenewal(undefined);
      if (renewal.kind === "fenced") {
        if (!lease.isEnding) this.lose(tenant);
        return;
      }
      // plant: a-lease-is-counted-from-the-answer-not-from-the-question
      lease.liveUntilMs = liveUntilMs(askedMs, settings);
      lease.isExpired = false;
      if (renewal.handoverTo !== undefined && !lease.isEnding)
        this.#options.onWanted(tenant, renewal.handoverTo);
    } catch (error) {
      // Unknown: the lease runs out by our own clock unless a later renewal succeeds.
      this.#options.onRenewal(error);
      const fields = { mapping, shardId: lease.shardId, error: describeError(error) };
      lines.write("warn", "a lease could not be renewed; trying again", fields);
    } finally {
      lease.isRenewing = false;
    }
  }

  /** Gives it back: nothing works under it any more. Resolves when that was tried. */
  async give(tenant: T): Promise<void> {
    tenant.lease.isEnding = true;
    if (this.#isAbandoned) return;
    await this.#release(tenant.lease);
    this.#forget(tenant);
  }

  /** Another owner has it. */
  lose(tenant: T): void {
    const { telemetry, mapping, onLost } = this.#options;
    telemetry.count("leases_lost", mapping, 1);
    onLost(tenant);
    this.#forget(tenant);
  }

  async #release(lease: Lease): Promise<void> {
    const { store, mappingUuid, mapping, lines } = this.#options;
    if (this.#isAbandoned) return;
    try {
      // plant: leases-are-kept-after-stop
      await store.release(mappingUuid, lease.held);
    } catch (error) {
      // It runs out by itself; only the next owner waits longer.
      const fields = { mapping, shardId: lease.shardId, error: describeError(error) };
      lines.write("warn", "a lease could not be released; it will run out", fields);
    }
  }

  #forget(tenant: T): void {
    const { shardId } = tenant.lease;
    if (this.#tenants.get(shardId) === tenant) this.#tenants.delete(shardId);
  }
}
