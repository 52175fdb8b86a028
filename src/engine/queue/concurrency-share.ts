import { WakeableLoop } from "../../lib/wakeable-loop.ts";
import { initialCheckpoint } from "../../model/checkpoint.ts";
import { describeError } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HeldLease, NewShard, ProgressStore, ShardProgress } from "../../ports/progress-store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { LeaseBook } from "../lease/lease-book.ts";
import { liveUntilMs } from "../lease/lease-margin.ts";
import type { EngineSettings } from "../settings.ts";

export interface ConcurrencyShareOptions {
  readonly mappingUuid: string;
  readonly mapping: string;
  /** Batches at once over all processes. */
  readonly concurrencyMax: number;
  readonly owner: string;
  readonly store: ProgressStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settings: EngineSettings;
  /** Batches that this process runs now. */
  running(): number;
  /** No message waits here, and no receive is under way that may bring one. */
  isEmptyHanded(): boolean;
  /** `places` may have changed. */
  onChange(): void;
}

/** A part of the maximum, under a lease of this process. */
interface HeldPart {
  readonly lease: HeldLease;
  readonly places: number;
  /** Monotonic time from which on nothing may start under it, unless a renewal came before. */
  liveUntilMs: number;
  /** Asked for by another process: nothing starts under it but what is in hand already. */
  isGoing: boolean;
  isReleasing: boolean;
}

/** Each part is a lease that is renewed every second: more would be finer, and cost more. */
const PARTS_MAX = 16;

/**
 * What this process may use of a mapping's maximum, which holds over all processes. The maximum is cut into parts, and
 * each part is leased as a shard is: by one process at a time, spread evenly, handed over once the batches under it
 * have ended, taken over when its owner is gone. So the sum is never above the maximum; processes beyond the number of
 * parts wait.
 */
export class ConcurrencyShare {
  readonly #options: ConcurrencyShareOptions;
  readonly #leases: LeaseBook;
  readonly #partPlaces: ReadonlyMap<string, number>;
  readonly #held = new Map<string, HeldPart>();
  readonly #stop = new AbortController();
  readonly #end = new AbortController();
  #isAbandoned = false;
  #dueInMs = Number.POSITIVE_INFINITY;
  readonly #loop: WakeableLoop;
  #looped: Promise<void> = Promise.resolve();

  constructor(options: ConcurrencyShareOptions) {
    this.#options = options;
    this.#leases = new LeaseBook(options.owner, options.settings);
    this.#partPlaces = partsOf(options.concurrencyMax);
    this.#loop = new WakeableLoop({
      clock: options.clock,
      signal: this.#end.signal,
      pauseMs: () => Math.min(options.settings.leaseRenewalMs, this.#dueInMs),
      turn: () => this.#turn(),
    });
  }

  start(): void {
    this.#looped = this.#loop.run();
  }

  /** Batches that this process may run at once, now. */
  get places(): number {
    return this.#sumPlaces(({ isGoing }) => !isGoing);
  }

  /** Places that go to other processes, and have not gone yet: what is in hand here may use them to the end. */
  get lastPlaces(): number {
    return this.#sumPlaces(({ isGoing, isReleasing }) => isGoing && !isReleasing);
  }

  get isHandingOver(): boolean {
    return [...this.#held.values()].some(({ isGoing }) => isGoing);
  }

  /**
   * To be called when a batch or a receive has ended: what another process waits for may be free now. The last place
   * stays until nothing is in hand that needs it.
   */
  lookAtHandovers(): void {
    const { running, isEmptyHanded } = this.#options;
    for (const part of this.#held.values()) {
      if (!part.isGoing || part.isReleasing) continue;
      const beside = this.#placesBeside(part);
      // plant: a-part-of-the-maximum-is-given-away-while-its-batches-run
      if (running() <= beside && (beside > 0 || isEmptyHanded())) void this.#release(part);
    }
  }

  /** Nothing is to start any more: each part is given back once the batches that still run fit beside it. */
  close(): void {
    this.#stop.abort();
    for (const part of this.#held.values()) part.isGoing = true;
    this.lookAtHandovers();
  }

  /** Gives everything back. Resolves when that was tried. */
  async end(): Promise<void> {
    this.close();
    this.#end.abort();
    await this.#looped;
    await Promise.all([...this.#held.values()].map((part) => this.#release(part)));
  }

  /** Whoever stopped us may close the store now. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  async #turn(): Promise<void> {
    try {
      await this.#tick();
    } catch (error) {
      const { telemetry, mapping } = this.#options;
      const fields = { mapping, error: describeError(error) };
      telemetry.log("warn", "the shared concurrency of a queue could not be looked at; trying again", fields);
    }
    this.#options.onChange();
  }

  async #tick(): Promise<void> {
    const { store, mappingUuid, owner, clock } = this.#options;
    this.#dueInMs = Number.POSITIVE_INFINITY;
    await Promise.all([...this.#held.values()].map((part) => this.#renew(part)));
    if (this.#stop.signal.aborted) return;
    const rows = await this.#list();
    if (this.#stop.signal.aborted) return;
    const nowMs = clock.monotonic();
    this.#leases.observe(rows, nowMs);
    const plan = this.#leases.plan(rows, new Set(this.#held.keys()), nowMs);
    this.#dueInMs = plan.dueInMs;
    await Promise.all(plan.acquire.map((row) => this.#acquire(row)));
    if (plan.request !== undefined && !this.#stop.signal.aborted)
      await store.requestHandover(mappingUuid, plan.request.shardId, plan.request, owner);
  }

  /** Rows of the parts of this maximum; a larger one of an earlier configuration may have left more. */
  async #list(): Promise<readonly ShardProgress[]> {
    const { store, mappingUuid } = this.#options;
    let rows = await store.list(mappingUuid);
    const known = new Set(rows.map(({ shardId }) => shardId));
    const missing = [...this.#partPlaces.keys()].filter((shardId) => !known.has(shardId));
    if (missing.length > 0 && !this.#stop.signal.aborted) {
      await store.add(mappingUuid, missing.map(newPart));
      rows = await store.list(mappingUuid);
    }
    return rows.filter(({ shardId }) => this.#partPlaces.has(shardId));
  }

  async #acquire(row: ShardProgress): Promise<void> {
    const { store, mappingUuid, owner, clock, settings, telemetry, mapping } = this.#options;
    const { shardId } = row;
    const askedMs = clock.monotonic();
    const acquired = await store.acquire(mappingUuid, shardId, owner, row);
    if (acquired === undefined) return;
    if (row.owner !== undefined && row.owner !== owner) telemetry.mark("part of a maximum taken over");
    const lease = { shardId, owner, epoch: acquired.epoch };
    const part: HeldPart = {
      lease,
      places: this.#partPlaces.get(shardId) ?? 0,
      liveUntilMs: liveUntilMs(askedMs, settings),
      isGoing: this.#stop.signal.aborted,
      isReleasing: false,
    };
    this.#held.set(shardId, part);
    this.lookAtHandovers();
    telemetry.log("debug", "a part of the maximum concurrency taken", {
      mapping,
      shardId,
      epoch: lease.epoch,
    });
  }

  async #renew(part: HeldPart): Promise<void> {
    const { store, mappingUuid, clock, settings, telemetry, mapping } = this.#options;
    const { shardId } = part.lease;
    const askedMs = clock.monotonic();
    try {
      const renewal = await store.renew(mappingUuid, part.lease);
      if (part.isReleasing) return;
      if (renewal.kind === "fenced") {
        telemetry.count("leases_lost", mapping, 1);
        this.#forget(part);
        return;
      }
      part.liveUntilMs = liveUntilMs(askedMs, settings);
      if (renewal.handoverTo === undefined || part.isGoing) return;
      telemetry.mark("part of a maximum handed over");
      part.isGoing = true;
      this.lookAtHandovers();
    } catch (error) {
      // Unknown: the part runs out by our own clock unless a later renewal succeeds.
      const fields = { mapping, shardId, error: describeError(error) };
      telemetry.log("warn", "a lease could not be renewed; trying again", fields);
    }
  }

  /** Once nothing runs under it. */
  async #release(part: HeldPart): Promise<void> {
    const { store, mappingUuid, telemetry, mapping } = this.#options;
    if (part.isReleasing || this.#isAbandoned) return;
    part.isReleasing = true;
    part.isGoing = true;
    try {
      // plant: parts-of-the-maximum-are-kept-after-stop
      await store.release(mappingUuid, part.lease);
    } catch (error) {
      // It runs out by itself; only the next owner waits longer.
      const fields = { mapping, shardId: part.lease.shardId, error: describeError(error) };
      telemetry.log("warn", "a lease could not be released; it will run out", fields);
    }
    this.#forget(part);
  }

  /** Places of what stays when this part is gone, and of others that go but are not released yet. */
  #placesBeside(part: HeldPart): number {
    const nowMs = this.#options.clock.monotonic();
    let places = 0;
    for (const other of this.#held.values())
      if (other !== part && !other.isReleasing && nowMs < other.liveUntilMs) places += other.places;
    return places;
  }

  #sumPlaces(counts: (part: HeldPart) => boolean): number {
    const nowMs = this.#options.clock.monotonic();
    let places = 0;
    for (const part of this.#held.values())
      if (counts(part) && nowMs < part.liveUntilMs) places += part.places;
    return places;
  }

  #forget(part: HeldPart): void {
    if (this.#held.get(part.lease.shardId) === part) this.#held.delete(part.lease.shardId);
  }
}

/** Names and places of the parts: as even as whole numbers are. */
function partsOf(concurrencyMax: number): ReadonlyMap<string, number> {
  const parts = Math.min(PARTS_MAX, concurrencyMax);
  return new Map(
    Array.from({ length: parts }, (_, index) => {
      const isLarger = index < concurrencyMax % parts;
      return [
        `part-${String(index).padStart(2, "0")}`,
        Math.floor(concurrencyMax / parts) + (isLarger ? 1 : 0),
      ];
    }),
  );
}

function newPart(shardId: string): NewShard {
  const shard = { shardId, parentShardIds: [], closed: false };
  return { shard, checkpoint: initialCheckpoint({ kind: "oldest" }) };
}
