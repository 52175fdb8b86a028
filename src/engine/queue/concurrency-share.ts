import type { Lease } from "../../leases/lease.ts";
import type { LeaseBook } from "../../leases/lease-book.ts";
import { LeaseHolder } from "../../leases/lease-holder.ts";
import { RepeatedLines } from "../../lib/repeated-lines.ts";
import { initialCheckpoint } from "../../model/checkpoint.ts";
import { describeError } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { NewShard, ProgressStore, ShardProgress } from "../../ports/progress-store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { EngineSettings } from "../settings.ts";
import type { SourceProblems } from "../stream/source-problems.ts";

export interface ConcurrencyShareOptions {
  readonly mappingUuid: string;
  readonly mapping: string;
  /** Batches at once over all processes. */
  readonly concurrencyMax: number;
  readonly owner: string;
  readonly book?: LeaseBook | undefined;
  readonly store: ProgressStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settings: EngineSettings;
  readonly problems: SourceProblems;
  /** Batches that this process runs now. */
  running(): number;
  /** No message waits here, and no receive is under way that may bring one. */
  isEmptyHanded(): boolean;
  /** `places` may have changed. */
  onChange(): void;
}

/** A part of the maximum, under a lease of this process. */
interface HeldPart {
  readonly lease: Lease;
  readonly places: number;
  /** Asked for by another process: nothing starts under it but what is in hand already. */
  isGoing: boolean;
}

/** Each part is a lease that is renewed every second: more would be finer, and cost more. */
const PARTS_MAX = 16;
/** The place of the problems that looks have; renewals have their own. */
export const SHARE = "shared concurrency";
export const RENEWALS = "leases";

/**
 * What this process may use of a mapping's maximum, which holds over all processes. The maximum is cut into parts, and
 * each part is leased as a shard is: by one process at a time, spread evenly, handed over once the batches under it
 * have ended, taken over when its owner is gone. So the sum is never above the maximum; processes beyond the number of
 * parts wait.
 */
export class ConcurrencyShare {
  readonly #options: ConcurrencyShareOptions;
  readonly #leases: LeaseHolder<HeldPart>;
  readonly #partPlaces: ReadonlyMap<string, number>;
  readonly #lines: RepeatedLines;
  #isClosed = false;
  #isKept = false;
  #isEnded = false;
  /** Nothing of it is with this process any more, or nobody may say so. */
  readonly #gone = Promise.withResolvers<void>();

  constructor(options: ConcurrencyShareOptions) {
    this.#options = options;
    this.#partPlaces = partsOf(options.concurrencyMax);
    this.#lines = new RepeatedLines(options.clock, options.telemetry);
    this.#leases = new LeaseHolder({
      ...options,
      lines: this.#lines,
      isDividedByBroker: false,
      takenOver: "part of a maximum taken over",
      look: () => this.#look(),
      begin: (lease) => this.#begin(lease),
      onWanted: (part) => this.#wanted(part),
      onLost: (part) => this.#lost(part),
      onRenewal: (failure) => options.problems.tried(RENEWALS, failure, options.clock.monotonic()),
    });
  }

  start(): void {
    this.#leases.start();
  }

  /** Places of the share before, which its mapping goes on with here. Before `start`. */
  adopt(leases: readonly Lease[]): void {
    for (const lease of leases) {
      // A smaller maximum may have fewer parts.
      const places = this.#partPlaces.get(lease.shardId);
      const part = { lease, places: places ?? 0, isGoing: places === undefined };
      this.#leases.adopt(part);
      if (part.isGoing) void this.#release(part);
    }
  }

  /** Something may come yet that the mapping's next worker runs: its places stay for it when this one has ended. */
  keep(): void {
    // plant: an-update-gives-away-the-places-of-what-it-keeps
    this.#isKept = true;
  }

  /** To the share that the mapping goes on with. */
  handOver(): readonly Lease[] {
    this.#isKept = false;
    return this.#leases.handOver().map(({ lease }) => lease);
  }

  /** The mapping does not go on: nothing is kept for it. Resolves when all is given back, also what still runs now. */
  async letGo(): Promise<void> {
    this.#isKept = false;
    if (this.#isEnded) return await this.end();
    this.lookAtHandovers();
    await this.#gone.promise;
  }

  /** Batches that this process may run at once, now. */
  get places(): number {
    return this.#sumPlaces(({ isGoing }) => !isGoing);
  }

  /** Places that go to other processes, and have not gone yet: what is in hand here may use them to the end. */
  get lastPlaces(): number {
    return this.#sumPlaces(({ isGoing, lease }) => isGoing && !lease.isEnding);
  }

  get isHandingOver(): boolean {
    for (const { isGoing } of this.#leases.tenants) if (isGoing) return true;
    return false;
  }

  /**
   * To be called when a batch or a receive has ended: what another process waits for may be free now. The last place
   * stays until nothing is in hand that needs it.
   */
  lookAtHandovers(): void {
    const { running } = this.#options;
    if (this.#isClosed) this.#takeNoMore();
    for (const part of this.#leases.tenants) {
      if (!part.isGoing || part.lease.isEnding) continue;
      const beside = this.#placesBeside(part);
      // plant: a-part-of-the-maximum-is-given-away-while-its-batches-run
      if (running() <= beside && (beside > 0 || this.#needsNone)) void this.#release(part);
    }
  }

  get #needsNone(): boolean {
    return !this.#isKept && this.#options.isEmptyHanded();
  }

  /**
   * Nothing is to be received any more: each part that is not kept is given back once the batches that still run fit
   * beside it. Who has no part, and messages in hand, takes one for those.
   */
  close(): void {
    this.#isClosed = true;
    this.lookAtHandovers();
  }

  #takeNoMore(): void {
    if (!this.#isKept) for (const part of this.#leases.tenants) part.isGoing = true;
    if (this.places + this.lastPlaces > 0 || this.#options.isEmptyHanded()) this.#leases.stop();
  }

  /** Gives everything back, but for what is kept. Resolves when that was tried. */
  async end(): Promise<void> {
    this.#isEnded = true;
    this.close();
    if (this.#isKept) return;
    await this.#leases.end();
    await Promise.all([...this.#leases.tenants].map((part) => this.#release(part)));
    this.#gone.resolve();
  }

  /** Whoever stopped us may close the store now, unless something is kept. */
  abandon(): void {
    if (this.#isKept) return;
    this.#leases.abandon();
    this.#gone.resolve();
  }

  async #look(): Promise<void> {
    const { problems, clock } = this.#options;
    try {
      await this.#lookAtParts();
      problems.worked(SHARE);
      if (this.#leases.size === 0) problems.worked(RENEWALS);
    } catch (error) {
      problems.failed(SHARE, error, clock.monotonic());
      const fields = { mapping: this.#options.mapping, error: describeError(error) };
      const message = "the shared concurrency of a queue could not be looked at; trying again";
      this.#lines.write("warn", message, fields);
    }
    this.#options.onChange();
  }

  async #lookAtParts(): Promise<void> {
    const { stopSignal } = this.#leases;
    await this.#leases.renewAll();
    if (stopSignal.aborted) return;
    const rows = await this.#list();
    if (stopSignal.aborted) return;
    await this.#leases.take(this.#leases.plan(rows, rows));
  }

  /** Rows of the parts of this maximum; a larger one of an earlier configuration may have left more. */
  async #list(): Promise<readonly ShardProgress[]> {
    const { store, mappingUuid } = this.#options;
    let rows = await store.list(mappingUuid);
    const known = new Set(rows.map(({ shardId }) => shardId));
    const missing = [...this.#partPlaces.keys()].filter((shardId) => !known.has(shardId));
    if (missing.length > 0 && !this.#leases.stopSignal.aborted) {
      await store.add(mappingUuid, missing.map(newPart));
      rows = await store.list(mappingUuid);
    }
    return rows.filter(({ shardId }) => this.#partPlaces.has(shardId));
  }

  #begin(lease: Lease): HeldPart {
    const { telemetry, mapping } = this.#options;
    const { shardId, epoch } = lease.held;
    telemetry.log("debug", "a part of the maximum concurrency taken", { mapping, shardId, epoch });
    // One is enough for what is in hand.
    if (this.#isClosed) this.#leases.stop();
    const isGoing = this.#isClosed && !this.#isKept;
    return { lease, places: this.#partPlaces.get(shardId) ?? 0, isGoing };
  }

  #wanted(part: HeldPart): void {
    if (part.isGoing) return;
    this.#options.telemetry.mark("part of a maximum handed over");
    part.isGoing = true;
    this.lookAtHandovers();
  }

  #lost({ lease }: HeldPart): void {
    const fields = { mapping: this.#options.mapping, shardId: lease.shardId };
    this.#lines.write("warn", "another owner has a part of the maximum concurrency", fields);
  }

  /** Once nothing runs under it. */
  async #release(part: HeldPart): Promise<void> {
    if (part.lease.isEnding) return;
    part.isGoing = true;
    // plant: parts-of-the-maximum-are-kept-after-stop
    await this.#leases.give(part);
  }

  /** Places of what stays when this part is gone, and of others that go but are not released yet. */
  #placesBeside(part: HeldPart): number {
    return this.#sumPlaces((other) => other !== part && !other.lease.isEnding);
  }

  #sumPlaces(counts: (part: HeldPart) => boolean): number {
    const nowMs = this.#options.clock.monotonic();
    let places = 0;
    for (const part of this.#leases.tenants)
      if (counts(part) && nowMs < part.lease.liveUntilMs) places += part.places;
    return places;
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
