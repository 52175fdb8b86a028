import type { FunctionInvoker } from "../../invocation/function-invoker.ts";
import { RepeatedLines } from "../../lib/repeated-lines.ts";
import { every, sleepUnless } from "../../lib/sleep.ts";
import { Slots } from "../../lib/slots.ts";
import { WakeableLoop } from "../../lib/wakeable-loop.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { describeError, isPassingFault } from "../../model/errors.ts";
import type { Shard } from "../../model/record.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { ProgressStore, ShardProgress } from "../../ports/progress-store.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Tracing } from "../../ports/tracing.ts";
import { ByteBudget } from "../budget.ts";
import type { MappingStatus, StopReport, StreamDeployment } from "../engine.ts";
import type { StreamExplanation } from "../explanation.ts";
import { compileFilterCriteria } from "../filter/filter.ts";
import { FailureDelivery } from "../invoke/failure-delivery.ts";
import { DESTINATION_REFUSES, FailureLog } from "../invoke/failure-log.ts";
import { LeaseBook, type LeasePlan } from "../lease/lease-book.ts";
import { liveUntilMs } from "../lease/lease-margin.ts";
import type { EngineSettings } from "../settings.ts";
import { discoverShards } from "./discovery.ts";
import { isOtherLog, startableShards } from "./lineage.ts";
import { ProgressGauges } from "./progress-gauges.ts";
import { ShardInquiry } from "./shard-inquiry.ts";
import { type ShardEnvironment, ShardWorker } from "./shard-worker.ts";
import { SourceOutages } from "./source-outages.ts";
import { SourceProblems } from "./source-problems.ts";
import { TurnedShards } from "./turned-shards.ts";

export interface MappingWorkerOptions {
  readonly deployment: StreamDeployment;
  readonly owner: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly tracing?: Tracing | undefined;
  readonly store: ProgressStore;
  readonly settings: EngineSettings;
  readonly processBudget: ByteBudget;
  readonly invoker: FunctionInvoker;
}

/** A lease of this process and the worker under it. */
interface HeldShard {
  readonly worker: ShardWorker;
  /** Monotonic time from which on nothing may start, unless a renewal came before. */
  liveUntilMs: number;
  /** It has run out by our own clock, which was counted. */
  isExpired: boolean;
  /** Monotonic: when its last renewal was asked for. */
  askedMs: number;
  isRenewing: boolean;
  /** Set once the worker is to give the shard back. */
  ending: Promise<void> | undefined;
}

/** The place of problems that are not one shard's. */
const WHOLE_MAPPING = "";
/** Those of the listing, which what is known already outlives: shards that come are not found meanwhile. */
const LISTING = "listing";

/** How long a stop waits for a store that does not answer, beyond its drain time. */
const LAST_WORDS_MS = 5_000;

/**
 * Runs one stream mapping in this process: finds shards, takes and renews leases, starts a worker for each shard that
 * is held, gives shards back. One step at a time (`#tick`); everything slow runs in the shards' own workers.
 */
export class MappingWorker {
  readonly #options: MappingWorkerOptions;
  readonly #environment: ShardEnvironment;
  /** `undefined`: the source's broker divides the shards, and what the store lists is ours to take. */
  readonly #leases: LeaseBook | undefined;
  readonly #held = new Map<string, HeldShard>();
  /** Shards whose worker stopped on a defect: not taken again by this process. */
  readonly #defective = new Set<string>();
  readonly #stop = new AbortController();
  readonly #end = new AbortController();
  #state: MappingStatus["state"] = "Creating";
  /** Why no look has succeeded yet. */
  #startFault: unknown;
  readonly #failures: FailureLog;
  readonly #problems = new SourceProblems();
  readonly #lines: RepeatedLines;
  readonly #inquiry: ShardInquiry;
  #listed: ReadonlyMap<string, Shard> | undefined;
  readonly #turned = new TurnedShards();
  /** Shards that the source itself does not know any more. */
  readonly #past = new Set<string>();
  /** Shards that were not ended at the last look; `undefined` before the first. */
  #openShardIds: readonly string[] | undefined;
  #discoveredMs = Number.NEGATIVE_INFINITY;
  /** After which a lease of others may be free, as of the last look. */
  #dueInMs = Number.POSITIVE_INFINITY;
  #endOfChanges: (() => void) | undefined;
  #pulse: Pick<ScheduledCall, "cancel"> | undefined;
  readonly #loop: WakeableLoop;
  #looped: Promise<void> = Promise.resolve();
  /** Records that were settled and are not durable, of shards that were given back since the stop began. */
  #comesAgain = 0;

  constructor(options: MappingWorkerOptions) {
    const { deployment, clock, random, telemetry, store, settings, processBudget, invoker } = options;
    const { mapping, source, destination } = deployment;
    this.#options = options;
    this.#loop = new WakeableLoop({
      clock,
      signal: this.#end.signal,
      pauseMs: () => Math.min(settings.leaseRenewalMs, this.#dueInMs),
      turn: () => this.#turn(),
    });
    this.#lines = new RepeatedLines(clock, telemetry);
    this.#failures = new FailureLog(mapping.name, clock, telemetry);
    this.#inquiry = new ShardInquiry({ source, clock, secondAnswerMs: settings.secondAnswerMs });
    this.#leases = source.progress === undefined ? new LeaseBook(options.owner, settings) : undefined;
    const outages = new SourceOutages(clock, random);
    this.#environment = {
      mapping,
      source,
      filter:
        mapping.filterPatterns.length === 0
          ? undefined
          : compileFilterCriteria(mapping.filterPatterns, source.events.filterDataKey, {
              dataPattern: "any",
            }),
      settings,
      clock,
      random,
      telemetry,
      tracing: options.tracing,
      store: source.progress ?? store,
      invoker,
      delivery: new FailureDelivery({
        mapping: mapping.name,
        destination,
        telemetry,
        limits: settings,
        outages,
        lines: this.#lines,
      }),
      budget: new ByteBudget(settings.mappingBudgetBytes, processBudget),
      reads: new Slots(settings.concurrentReads),
      outages,
      lines: this.#lines,
      gauges: new ProgressGauges(telemetry, mapping.name),
      report: (problem, where) => this.#failures.report(problem, where),
      problems: this.#problems,
      inquiry: this.#inquiry,
    };
  }

  start(): void {
    const { mapping, store } = this.#environment;
    this.#endOfChanges = store.onChange?.(mapping.uuid, () => this.#loop.wake());
    this.#looped = this.#loop.run();
    const { clock, settings } = this.#options;
    if (this.#leases !== undefined)
      this.#pulse = every(clock, settings.leaseRenewalMs, () => this.#renewOverdue());
  }

  async stop(drainMs: number): Promise<StopReport> {
    if (this.#stop.signal.aborted) return { comesAgain: 0 };
    const { clock } = this.#options;
    this.#state = "Disabling";
    this.#comesAgain = 0;
    this.#stop.abort();
    const drained = [...this.#held.values()].map((held) => this.#giveBack(held, drainMs));
    await sleepUnless(Promise.all(drained), clock, drainMs + LAST_WORDS_MS);
    this.#end.abort();
    this.#endOfChanges?.();
    this.#pulse?.cancel();
    await sleepUnless(this.#looped, clock, LAST_WORDS_MS);
    // Whoever stopped us may close the store now: what a slow store has held up until here is given up.
    this.#state = "Disabled";
    for (const { worker } of this.#held.values()) this.#comesAgain += worker.abandon();
    return { comesAgain: this.#comesAgain };
  }

  status(): MappingStatus {
    const { uuid, name } = this.#environment.mapping;
    const shards = [...this.#held.values()].map(({ worker }) => worker.status());
    const { state } = this;
    const caughtUp = state === "Enabled" && this.#isCaughtUp();
    const result = this.#environment.delivery.isRefused ? DESTINATION_REFUSES : this.#failures.lastResult;
    const lastProcessingResult = this.#problems.current ?? result;
    const oldestAgeMs = Math.max(0, ...shards.map((shard) => shard.oldestAgeMs));
    const isWaiting = this.#state === "Creating" && this.#startFault !== undefined;
    const problem = isWaiting ? { problem: describeError(this.#startFault) } : {};
    return { uuid, name, state, lastProcessingResult, oldestAgeMs, shards, caughtUp, ...problem };
  }

  explain(): StreamExplanation {
    const { invoker } = this.#options;
    const shards = [...this.#held.values()].map(({ worker }) => worker.explain());
    return { kind: "stream", function: invoker.explain(this.#environment.mapping.name), shards };
  }

  get state(): MappingStatus["state"] {
    if (this.#state === "Creating" && this.#startFault !== undefined)
      return isPassingFault(this.#startFault) ? "Creating" : "Failed";
    return this.#defective.size > 0 && this.#state === "Enabled" ? "Failed" : this.#state;
  }

  #isCaughtUp(): boolean {
    const isShardCaughtUp = (shardId: string) => this.#held.get(shardId)?.worker.status().caughtUp === true;
    return this.#openShardIds?.every(isShardCaughtUp) === true;
  }

  async #turn(): Promise<void> {
    try {
      await this.#tick();
      this.#problems.worked(WHOLE_MAPPING);
    } catch (error) {
      this.#problems.failed(WHOLE_MAPPING, error, this.#environment.clock.monotonic());
      this.#startFault = error;
      const fields = { mapping: this.#environment.mapping.name, error: describeError(error) };
      this.#lines.write("warn", "leases or shards of a mapping could not be looked at; trying again", fields);
    }
  }

  async #tick(): Promise<void> {
    const { telemetry, clock } = this.#options;
    const { mapping, store } = this.#environment;
    this.#dueInMs = Number.POSITIVE_INFINITY;
    await Promise.all([...this.#held.values()].map((held) => this.#renew(held)));
    if (this.#stop.signal.aborted) return;
    let rows = await store.list(mapping.uuid);
    if (this.#isDiscoveryDue()) {
      await this.#discover(rows);
      rows = await store.list(mapping.uuid);
    }
    // What a slow store has answered after the stop is of no use any more.
    if (this.#stop.signal.aborted) return;
    if (this.#state === "Creating") this.#state = "Enabled";
    this.#startFault = undefined;
    const nowMs = clock.monotonic();
    this.#leases?.observe(rows, nowMs);
    const lineage = { listed: this.#listed ?? new Map<string, Shard>(), past: this.#past };
    const { startable, waiting, unknown } = startableShards(rows, lineage);
    for (const parentId of this.#turned.look(rows, lineage)) unknown.add(parentId);
    for (const { parentShardIds } of waiting) {
      telemetry.mark(
        parentShardIds.length > 1 ? "merged child waited for both parents" : "child waited for parent",
      );
    }
    this.#openShardIds = [...startable, ...waiting].map((row) => row.shardId);
    const active = startable.filter((row) => !this.#defective.has(row.shardId));
    const plan = this.#leases?.plan(active, new Set(this.#held.keys()), nowMs) ?? this.#takeAll(active);
    this.#dueInMs = plan.dueInMs;
    if (await this.#askForGone(unknown)) this.#loop.wake();
    await Promise.all(plan.acquire.map((row) => this.#acquire(row)));
    if (plan.request !== undefined) {
      await store.requestHandover(mapping.uuid, plan.request.shardId, plan.request, this.#options.owner);
    }
    telemetry.gauge("owned_shards", mapping.name, this.#held.size);
  }

  /** True when one of them was found to be past, so that it or its children may start. */
  async #askForGone(shardIds: ReadonlySet<string>): Promise<boolean> {
    const { source } = this.#environment;
    let hasFound = false;
    for (const shardId of shardIds) {
      const isUnlisted = this.#listed?.has(shardId) === false;
      if (!isUnlisted) continue;
      const isAsked = source.knowsShard !== undefined;
      // plant: a-parent-that-one-listing-leaves-out-is-taken-for-past
      if (isAsked && !(await this.#inquiry.isGone(shardId, this.#stop.signal).catch(() => false))) continue;
      this.#past.add(shardId);
      hasFound = true;
    }
    return hasFound;
  }

  #takeAll(active: readonly ShardProgress[]): LeasePlan {
    const acquire = active.filter(({ shardId }) => !this.#held.has(shardId));
    return { acquire, request: undefined, dueInMs: Number.POSITIVE_INFINITY };
  }

  #isDiscoveryDue(): boolean {
    const { clock, settings } = this.#options;
    // plant: shards-are-listed-once
    return clock.monotonic() - this.#discoveredMs >= settings.discoveryIntervalMs;
  }

  async #discover(rows: readonly ShardProgress[]): Promise<void> {
    const { telemetry, clock } = this.#options;
    const { mapping, source, store } = this.#environment;
    try {
      const options = { mapping, source, store, telemetry, inquiry: this.#inquiry };
      const hasCome = this.#turned.listing();
      this.#listed = await discoverShards(options, rows, this.#stop.signal);
      hasCome();
      // A stream that was made anew may use a name again.
      for (const shardId of this.#listed.keys()) this.#past.delete(shardId);
      this.#discoveredMs = clock.monotonic();
      this.#problems.worked(LISTING);
    } catch (error) {
      telemetry.count("source_errors", mapping.name, 1);
      // Without a first discovery there is nothing to do; after it, the shards that are known go on.
      if (this.#listed === undefined) throw error;
      this.#problems.failed(LISTING, error, clock.monotonic());
      const fields = { mapping: mapping.name, error: describeError(error) };
      this.#lines.write("warn", "the shards of a stream could not be listed; trying again", fields);
    }
  }

  async #acquire(row: ShardProgress): Promise<void> {
    const { owner, clock, telemetry, settings } = this.#options;
    const { mapping, store } = this.#environment;
    const askedMs = clock.monotonic();
    const acquired = await store.acquire(mapping.uuid, row.shardId, owner, row);
    if (acquired === undefined) return;
    if (row.owner !== undefined && row.owner !== owner) telemetry.mark("lease taken over");
    const lease = { shardId: row.shardId, owner, epoch: acquired.epoch };
    telemetry.count("leases_acquired", mapping.name, 1);
    if (this.#stop.signal.aborted) {
      if (!this.#isDisabled()) await store.release(mapping.uuid, lease);
      return;
    }
    const worker = new ShardWorker({
      environment: this.#environment,
      lease,
      // plant: the-checkpoint-of-a-lease-is-ignored-by-its-next-owner
      checkpoint: this.#beginningOf(row.shardId, acquired.checkpoint),
      begun: acquired.begun,
      isLeaseLive: () => clock.monotonic() < held.liveUntilMs,
      whenParentsArePast: (signal) => this.#whenParentsArePast(row.shardId, signal),
      onEnded: () => this.#shardEnded(held),
      onFenced: () => this.#lose(held),
      onDefect: () => this.#defect(held),
    });
    const held: HeldShard = {
      worker,
      liveUntilMs: liveUntilMs(askedMs, settings),
      isExpired: false,
      askedMs,
      isRenewing: false,
      ending: undefined,
    };
    this.#held.set(row.shardId, held);
    const fields = { mapping: mapping.name, shardId: row.shardId, epoch: lease.epoch, told: acquired.begun };
    telemetry.log("info", "shard taken", fields);
    worker.start();
  }

  /** What is listed as another log has not ended: the first read says so, too, and it is read from there. */
  #beginningOf(shardId: string, checkpoint: Checkpoint): Checkpoint {
    return isOtherLog(checkpoint, this.#listed?.get(shardId)) ? { ...checkpoint, ended: false } : checkpoint;
  }

  /** A broker that divides the shards itself has no parents among them. */
  async #whenParentsArePast(shardId: string, signal: AbortSignal): Promise<void> {
    if (this.#leases === undefined) return;
    const isPast = this.#turned.wait(shardId, signal);
    this.#discoveredMs = Number.NEGATIVE_INFINITY;
    this.#loop.wake();
    await isPast;
  }

  /** A look may wait for a source that lists slowly, or for a store; leases do not wait with it. */
  #renewOverdue(): void {
    const { clock, settings } = this.#options;
    for (const held of this.#held.values()) {
      if (clock.monotonic() - held.askedMs >= settings.leaseRenewalMs) void this.#renew(held);
    }
  }

  async #renew(held: HeldShard): Promise<void> {
    const { clock, telemetry, settings } = this.#options;
    const { mapping, store } = this.#environment;
    if (held.isRenewing) return;
    const askedMs = clock.monotonic();
    if (askedMs >= held.liveUntilMs && !held.isExpired) {
      held.isExpired = true;
      telemetry.count("leases_expired", mapping.name, 1);
    }
    held.askedMs = askedMs;
    held.isRenewing = true;
    try {
      const renewal = await store.renew(mapping.uuid, held.worker.lease);
      if (renewal.kind === "fenced") {
        if (held.ending === undefined) this.#lose(held);
        return;
      }
      // plant: a-lease-is-counted-from-the-answer-not-from-the-question
      held.liveUntilMs = liveUntilMs(askedMs, settings);
      held.isExpired = false;
      if (renewal.handoverTo !== undefined && held.ending === undefined) {
        telemetry.mark("lease handed over");
        const fields = { mapping: mapping.name, shardId: held.worker.shardId, to: renewal.handoverTo };
        telemetry.log("info", "handing a shard over", fields);
        void this.#giveBack(held, this.#options.settings.handoverDrainMs);
      }
    } catch (error) {
      // Unknown: the lease runs out by our own clock unless a later renewal succeeds.
      const fields = { mapping: mapping.name, shardId: held.worker.shardId, error: describeError(error) };
      this.#lines.write("warn", "a lease could not be renewed; trying again", fields);
    } finally {
      held.isRenewing = false;
    }
  }

  #giveBack(held: HeldShard, drainMs: number): Promise<void> {
    held.ending ??= this.#drainAndRelease(held, drainMs);
    return held.ending;
  }

  async #drainAndRelease(held: HeldShard, drainMs: number): Promise<void> {
    const { clock } = this.#options;
    const { mapping, store } = this.#environment;
    const { worker } = held;
    // plant: a-lease-is-handed-over-without-draining
    await sleepUnless(worker.drain(), clock, drainMs);
    this.#comesAgain += await worker.close(true);
    if (this.#isDisabled()) return;
    try {
      // plant: leases-are-kept-after-stop
      await store.release(mapping.uuid, worker.lease);
    } catch (error) {
      // It runs out by itself; only the next owner waits longer.
      const fields = { mapping: mapping.name, shardId: worker.shardId, error: describeError(error) };
      this.#lines.write("warn", "a lease could not be released; it will run out", fields);
    }
    this.#forget(held);
  }

  /** A method, since the state changes behind awaits, which narrowing does not see. */
  #isDisabled(): boolean {
    return this.#state === "Disabled";
  }

  #shardEnded(held: HeldShard): void {
    const { mapping } = this.#environment;
    const fields = { mapping: mapping.name, shardId: held.worker.shardId };
    this.#options.telemetry.log("info", "a closed shard was processed to its end", fields);
    // Its children are to be found and started now, not at the next interval.
    this.#discoveredMs = Number.NEGATIVE_INFINITY;
    void this.#giveBack(held, 0).then(() => this.#loop.wake());
  }

  #lose(held: HeldShard): void {
    const { mapping } = this.#environment;
    const { telemetry } = this.#options;
    telemetry.count("leases_lost", mapping.name, 1);
    telemetry.log("warn", "another owner has a shard", {
      mapping: mapping.name,
      shardId: held.worker.shardId,
    });
    void held.worker.close(false);
    this.#forget(held);
  }

  #defect(held: HeldShard): void {
    this.#defective.add(held.worker.shardId);
    void this.#giveBack(held, 0);
  }

  #forget(held: HeldShard): void {
    if (this.#held.get(held.worker.shardId) === held) this.#held.delete(held.worker.shardId);
  }
}
