import type { MappingDoor } from "../../invocation/mapping-door.ts";
import type { Lease } from "../../leases/lease.ts";
import type { LeaseBook } from "../../leases/lease-book.ts";
import { LeaseHolder } from "../../leases/lease-holder.ts";
import { sleepUnless } from "../../lib/sleep.ts";
import { describeError, isPassingFault } from "../../model/errors.ts";
import type { ShardProgress } from "../../ports/progress-store.ts";
import type { MappingStatus, StopReport } from "../engine.ts";
import type { StreamExplanation } from "../explanation.ts";
import { epochOf } from "../invoke/attempt-notes.ts";
import { DESTINATION_REFUSES, FailureLog } from "../invoke/failure-log.ts";
import { KnownShards, LISTING } from "./known-shards.ts";
import { explainOthers } from "./other-shards.ts";
import { type MappingSurroundings, type ShardEnvironment, shardEnvironment } from "./shard-environment.ts";
import { ShardWorker } from "./shard-worker.ts";
import { silenceOf } from "./source-problems.ts";

export interface MappingWorkerOptions extends MappingSurroundings {
  readonly owner: string;
  readonly book: LeaseBook;
  readonly invoker: MappingDoor;
}

/** A lease of this process and the worker under it. */
interface HeldShard {
  readonly lease: Lease;
  readonly worker: ShardWorker;
  /** Set once the worker is to give the shard back. */
  ending: Promise<void> | undefined;
}

/** The place of problems that are not one shard's. */
const WHOLE_MAPPING = "";
/** Renewals have their own: when they fail for long, nothing starts. */
const LEASES = "leases";
/** What a look may take: a listing has many pages, and a broker waits for other members. */
const LOOK_MS = 60_000;

/** How long a stop waits for a store that does not answer, beyond its drain time. */
const LAST_WORDS_MS = 5_000;

/**
 * Runs one stream mapping in this process: a worker for each shard whose lease it holds, begun when the shard may be
 * begun, drained when it is to be given back. Everything slow runs in the shards' own workers.
 */
export class MappingWorker {
  readonly #options: MappingWorkerOptions;
  readonly #environment: ShardEnvironment;
  readonly #leases: LeaseHolder<HeldShard>;
  readonly #shards: KnownShards;
  /** Shards whose worker stopped on a defect: not taken again by this process. */
  readonly #defective = new Set<string>();
  #state: MappingStatus["state"] = "Creating";
  /** Why no look has succeeded yet. */
  #startFault: unknown;
  /** Monotonic: since when a look is under way. */
  #lookedMs: number | undefined;
  readonly #failures: FailureLog;
  /** Records that were settled and are not durable, of shards that were given back since the stop began. */
  #comesAgain = 0;

  constructor(options: MappingWorkerOptions) {
    const { deployment, owner, book, clock, telemetry } = options;
    const { mapping, source } = deployment;
    this.#options = options;
    this.#failures = new FailureLog(mapping.name, clock, telemetry);
    this.#environment = shardEnvironment(options, (problem, where) => this.#failures.report(problem, where));
    this.#leases = new LeaseHolder({
      ...this.#environment,
      mappingUuid: mapping.uuid,
      mapping: mapping.name,
      owner,
      book,
      isDividedByBroker: source.progress !== undefined,
      takenOver: "lease taken over",
      look: () => this.#look(),
      begin: (lease, taken) => this.#begin(lease, taken),
      onWanted: (held, claimant) => this.#wanted(held, claimant),
      onLost: (held) => this.#lost(held),
      // plant: leases-that-cannot-be-renewed-are-no-problem
      onRenewal: (failure) => this.#environment.problems.tried(LEASES, failure, clock.monotonic()),
    });
    this.#shards = new KnownShards({ ...this.#environment, stopSignal: this.#leases.stopSignal });
  }

  start(): void {
    this.#leases.start();
  }

  async stop(drainMs: number): Promise<StopReport> {
    if (this.#leases.stopSignal.aborted) return { comesAgain: 0 };
    const { clock } = this.#options;
    this.#state = "Disabling";
    this.#comesAgain = 0;
    this.#leases.stop();
    const drained = this.#held.map((held) => this.#giveBack(held, drainMs));
    await sleepUnless(Promise.all(drained), clock, drainMs + LAST_WORDS_MS);
    await sleepUnless(this.#leases.end(), clock, LAST_WORDS_MS);
    // Whoever stopped us may close the store now: what a slow store has held up until here is given up.
    this.#state = "Disabled";
    this.#leases.abandon();
    for (const { worker } of this.#held) this.#comesAgain += worker.abandon();
    return { comesAgain: this.#comesAgain };
  }

  status(): MappingStatus {
    const { uuid, name } = this.#environment.mapping;
    const shards = this.#held.map(({ worker }) => worker.status());
    const { state } = this;
    const caughtUp = state === "Enabled" && this.#isCaughtUp();
    const result = this.#environment.delivery.isRefused ? DESTINATION_REFUSES : this.#failures.lastResult;
    const lastProcessingResult = this.#environment.problems.current ?? this.#silence() ?? result;
    const oldestAgeMs = Math.max(0, ...shards.map((shard) => shard.oldestAgeMs));
    const isWaiting = this.#state === "Creating" && this.#startFault !== undefined;
    const problem = isWaiting ? { problem: describeError(this.#startFault) } : {};
    return { uuid, name, state, lastProcessingResult, oldestAgeMs, shards, caughtUp, ...problem };
  }

  #silence(): string | undefined {
    const readMs = Math.max(0, ...this.#held.map(({ worker }) => worker.unansweredMs));
    const lookMs = this.#lookedMs === undefined ? 0 : this.#environment.clock.monotonic() - this.#lookedMs;
    return silenceOf("the source", readMs) ?? silenceOf("the source or the store", lookMs - LOOK_MS);
  }

  explain(): StreamExplanation {
    const { mapping, delivery, problems, source, clock } = this.#environment;
    const division = source.progress?.division?.();
    return {
      kind: "stream",
      function: this.#options.invoker.explain(mapping.name, mapping.functionArn),
      shards: this.#held.map(({ worker }) => worker.explain()),
      ...explainOthers(this.#shards, this.#leases, clock),
      looking: problems.lookFailure([WHOLE_MAPPING, LEASES, LISTING]),
      division: division && { ...division, sinceMs: epochOf(clock)(division.sinceMs) },
      destination: delivery.explain(),
    };
  }

  get state(): MappingStatus["state"] {
    if (this.#state === "Creating" && this.#startFault !== undefined)
      return isPassingFault(this.#startFault) ? "Creating" : "Failed";
    return this.#defective.size > 0 && this.#state === "Enabled" ? "Failed" : this.#state;
  }

  #isCaughtUp(): boolean {
    return this.#shards.everyOpen(
      (shardId) => this.#leases.tenantOf(shardId)?.worker.status().caughtUp === true,
    );
  }

  get #held(): HeldShard[] {
    return [...this.#leases.tenants];
  }

  async #look(): Promise<void> {
    const { mapping, problems, lines, clock } = this.#environment;
    this.#lookedMs = clock.monotonic();
    try {
      await this.#lookAtShards();
      problems.worked(WHOLE_MAPPING);
      if (this.#leases.size === 0) problems.worked(LEASES);
    } catch (error) {
      problems.failed(WHOLE_MAPPING, error, clock.monotonic());
      this.#startFault = error;
      this.#leases.couldNotLook();
      const fields = { mapping: mapping.name, error: describeError(error) };
      lines.write("warn", "leases or shards of a mapping could not be looked at; trying again", fields);
    } finally {
      this.#lookedMs = undefined;
    }
  }

  async #lookAtShards(): Promise<void> {
    const { mapping, telemetry } = this.#environment;
    const { stopSignal } = this.#leases;
    await this.#leases.renewAll();
    if (stopSignal.aborted) return;
    const rows = await this.#shards.rows((seen) => this.#leases.observe(seen));
    // What a slow store has answered after the stop is of no use any more.
    if (stopSignal.aborted) return;
    if (this.#state === "Creating") this.#state = "Enabled";
    this.#startFault = undefined;
    const { startable, unknown } = this.#shards.startable(rows);
    const active = startable.filter((row) => !this.#defective.has(row.shardId));
    const plan = this.#leases.plan(rows, active);
    if (await this.#shards.askForGone(unknown)) this.#leases.wake();
    await this.#leases.take(plan);
    telemetry.gauge("owned_shards", mapping.name, this.#leases.size);
  }

  #begin(lease: Lease, { checkpoint, begun }: ShardProgress): HeldShard {
    const { mapping, telemetry } = this.#environment;
    const { shardId, epoch } = lease.held;
    const worker = new ShardWorker({
      environment: this.#environment,
      lease,
      // plant: the-checkpoint-of-a-lease-is-ignored-by-its-next-owner
      checkpoint: this.#shards.beginningOf(shardId, checkpoint),
      begun,
      whenParentsArePast: (signal) => this.#whenParentsArePast(shardId, signal),
      onEnded: () => this.#shardEnded(held),
      onFenced: () => this.#leases.lose(held),
      onDefect: () => this.#defect(held),
    });
    const held: HeldShard = { lease, worker, ending: undefined };
    telemetry.log("info", "shard taken", { mapping: mapping.name, shardId, epoch, told: begun });
    worker.start();
    return held;
  }

  /** A broker that divides the shards itself has no parents among them. */
  async #whenParentsArePast(shardId: string, signal: AbortSignal): Promise<void> {
    if (this.#environment.source.progress !== undefined) return;
    const isPast = this.#shards.whenParentsArePast(shardId, signal);
    this.#leases.wake();
    await isPast;
  }

  #wanted(held: HeldShard, to: string): void {
    const { mapping, telemetry, settings } = this.#environment;
    telemetry.mark("lease handed over");
    const fields = { mapping: mapping.name, shardId: held.lease.shardId, to };
    telemetry.log("info", "handing a shard over", fields);
    held.lease.handingTo = to;
    void this.#giveBack(held, settings.handoverDrainMs);
  }

  #giveBack(held: HeldShard, drainMs: number): Promise<void> {
    held.lease.isEnding = true;
    held.ending ??= this.#drainAndGive(held, drainMs);
    return held.ending;
  }

  async #drainAndGive(held: HeldShard, drainMs: number): Promise<void> {
    const { worker } = held;
    // plant: a-lease-is-handed-over-without-draining
    await sleepUnless(worker.drain(), this.#environment.clock, drainMs);
    this.#comesAgain += await worker.close(true);
    await this.#leases.give(held);
  }

  #shardEnded(held: HeldShard): void {
    const { mapping, telemetry } = this.#environment;
    const fields = { mapping: mapping.name, shardId: held.lease.shardId };
    telemetry.log("info", "a closed shard was processed to its end", fields);
    this.#shards.ended(held.lease.shardId);
    void this.#giveBack(held, 0).then(() => this.#leases.wake());
  }

  #lost({ worker, lease }: HeldShard): void {
    const { mapping, telemetry } = this.#environment;
    const fields = { mapping: mapping.name, shardId: lease.shardId };
    telemetry.log("warn", "another owner has a shard", fields);
    void worker.close(false);
  }

  #defect(held: HeldShard): void {
    this.#defective.add(held.lease.shardId);
    void this.#giveBack(held, 0);
  }
}
