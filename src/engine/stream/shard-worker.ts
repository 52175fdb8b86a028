import type { Lease } from "../../leases/lease.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { describeError } from "../../model/errors.ts";
import type { ShardExplanation } from "../explanation.ts";
import { epochOf } from "../invoke/attempt-notes.ts";
import { createShardParking } from "./create-shard-parking.ts";
import { Expiry } from "./expiry.ts";
import { runReadLoop } from "./read-loop.ts";
import { ReadNotes } from "./read-notes.ts";
import type { ShardContext } from "./shard-context.ts";
import { type ShardEnvironment, shardTracer } from "./shard-environment.ts";
import { type EndingShard, tellGivenUp, tellUndurable } from "./shard-farewell.ts";
import { ShardIntake } from "./shard-intake.ts";
import { ShardLanes } from "./shard-lanes.ts";
import { ShardLife } from "./shard-life.ts";
import type { ShardParking } from "./shard-parking.ts";
import { readingState } from "./shard-reading.ts";
import { ShardSettlement } from "./shard-settlement.ts";

export interface ShardWorkerOptions {
  readonly environment: ShardEnvironment;
  readonly lease: Lease;
  readonly checkpoint: Checkpoint;
  /** For people, as `ShardProgress.begun`. */
  readonly begun: string | undefined;
  /** The shard is a log that was made anew: resolves when that log's parents are past, or with the signal. */
  whenParentsArePast(signal: AbortSignal): Promise<void>;
  /** All of the shard is settled, durably: its children may start. */
  onEnded(): void;
  /** Another owner has the shard; the worker has stopped. */
  onFenced(): void;
  /** A defect stopped the worker. */
  onDefect(error: unknown): void;
}

const FINAL_CHECKPOINT_TRIES = 3;

/** Processes one shard under one lease, from what it reads to what it settles: begins, drains, closes. */
export class ShardWorker {
  readonly #options: ShardWorkerOptions;
  readonly #environment: ShardEnvironment;
  readonly #life: ShardLife;
  readonly #settlement: ShardSettlement;
  readonly #parking: ShardParking | undefined;
  readonly #lanes: ShardLanes;
  readonly #intake: ShardIntake;
  readonly #readNotes: ReadNotes;
  #reading: Promise<void> = Promise.resolve();
  #onDrained: (() => void) | undefined;

  constructor(options: ShardWorkerOptions) {
    const { environment, lease, checkpoint, whenParentsArePast, onEnded } = options;
    this.#options = options;
    this.#environment = environment;
    this.#readNotes = new ReadNotes(environment.clock);
    this.#life = new ShardLife(lease);
    const settlement = new ShardSettlement({
      environment,
      lease,
      checkpoint,
      lanes: () => this.#lanes,
      onEnded,
      onFenced: () => this.#fenced(),
      onDefect: (error) => this.#defect(error),
    });
    this.#settlement = settlement;
    this.#parking = createShardParking({
      environment,
      lease,
      life: this.#life,
      settlement,
      lanes: () => this.#lanes,
      onFenced: () => this.#fenced(),
      onDefect: (error) => this.#defect(error),
    });
    this.#lanes = new ShardLanes({
      context: this.#context(),
      readAhead: settlement.readAhead,
      window: checkpoint.window,
      split: environment.split,
      isAtEnd: () => settlement.isAtEnd || settlement.log.isTurning,
      onIdle: () => this.#idle(),
      onDefect: (error) => this.#defect(error),
    });
    this.#intake = new ShardIntake({
      environment,
      shardId: this.shardId,
      life: this.#life,
      settlement,
      lanes: this.#lanes,
      parking: this.#parking,
      notes: this.#readNotes,
      whenParentsArePast,
    });
  }

  get shardId(): string {
    return this.#options.lease.shardId;
  }

  start(): void {
    const parking = this.#parking;
    const reading =
      parking === undefined
        ? this.#read()
        : parking.open().then((isOpen) => (isOpen ? this.#read() : undefined));
    this.#reading = reading.catch((error: unknown) => this.#defect(error));
  }

  #read(): Promise<void> {
    const { mapping, settings, problems, clock } = this.#environment;
    const { mark, log, readAhead } = this.#settlement;
    return runReadLoop({
      ...this.#environment,
      mappingName: mapping.name,
      shardId: this.shardId,
      // plant: a-shard-is-read-from-its-oldest-record-after-a-restart
      start: mark.resume,
      logId: log.logId,
      limits: settings,
      stopSignal: this.#life.stopSignal,
      notes: this.#readNotes,
      room: () => readAhead.room(),
      onRead: (read) => this.#intake.onRead(read),
      onRoomUsed: () => readAhead.hasRead(),
      onFailure: (error, triedForMs) => problems.failed(this.shardId, error, clock.monotonic(), triedForMs),
    });
  }

  // Ending.

  /** Starts nothing new and resolves when all that runs has ended and its progress is stored. `close` cuts it short. */
  async drain(): Promise<void> {
    if (!this.#life.isRunning) return;
    const { log, readAhead, checkpoints } = this.#settlement;
    this.#life.drain();
    log.release();
    this.#lanes.stop();
    readAhead.stop();
    await this.#reading;
    if (this.#lanes.running > 0) {
      this.#environment.telemetry.mark("stopped with batches in flight");
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
    await this.#parking?.idle();
    if (this.#life.isClosed || checkpoints.isDurable) return;
    await checkpoints.flush();
    if (!this.#life.isClosed) this.#environment.telemetry.mark("last checkpoint written while draining");
  }

  /**
   * Stops at once: what runs is given up and settles nothing; progress made so far is stored if `storeProgress`.
   * Resolves to the records that are settled and not durable: they come again.
   */
  async close(storeProgress: boolean): Promise<number> {
    if (this.#life.isClosed) return 0;
    const { log, readAhead, checkpoints } = this.#settlement;
    tellGivenUp(this.#ending, this.#lanes.running, storeProgress);
    this.#life.close();
    this.#parking?.close();
    log.release();
    this.#lanes.stop();
    readAhead.forget();
    this.#onDrained?.();
    if (storeProgress) await checkpoints.flushInTries(FINAL_CHECKPOINT_TRIES);
    const comesAgain = storeProgress ? tellUndurable(this.#ending) : 0;
    checkpoints.close();
    this.#environment.problems.worked(this.shardId);
    this.#settlement.ungauge();
    return comesAgain;
  }

  /**
   * Stops writing checkpoints: the engine has ended, and what the store did not take in time comes again: so many
   * records.
   */
  abandon(): number {
    const comesAgain = tellUndurable(this.#ending);
    this.#settlement.checkpoints.close();
    return comesAgain;
  }

  get #ending(): EndingShard {
    return { environment: this.#environment, shardId: this.shardId, settlement: this.#settlement };
  }

  #idle(): void {
    this.#onDrained?.();
    // Only the last checkpoint is missing from now on: it is late by this moment, not by that of the last read.
    // plant: a-last-checkpoint-is-late-by-the-last-read
    if (this.#settlement.isAtEnd) this.#readNotes.does("nothing");
    this.#settlement.log.progressed();
    this.#settlement.endIfDone();
  }

  #fenced(): void {
    void this.close(false);
    this.#options.onFenced();
  }

  #defect(error: unknown): void {
    const { telemetry, mapping } = this.#environment;
    const fields = { mapping: mapping.name, shardId: this.shardId, error: describeError(error) };
    telemetry.log(
      "error",
      "a shard's worker stopped on a defect; nothing further of the shard is processed",
      fields,
    );
    void this.close(false);
    this.#options.onDefect(error);
  }

  // Telling.

  status() {
    const { readAhead, checkpoints, offsetLag, isEndStored } = this.#settlement;
    const { lagMs, hasIdleRead } = this.#intake;
    const inFlight = this.#lanes.running;
    const { begun } = this.#options;
    return {
      shardId: this.shardId,
      bufferedRecords: readAhead.records,
      bufferedBytes: readAhead.bytes,
      inFlight,
      oldestAgeMs: this.#oldestAgeMs(),
      lagMs,
      offsetLag,
      caughtUp: hasIdleRead && readAhead.records === 0 && inFlight === 0 && checkpoints.isDurable,
      ended: isEndStored,
      ...(begun === undefined ? {} : { begun }),
    };
  }

  get unansweredMs(): number {
    return this.#readNotes.unansweredMs;
  }

  /** The oldest age of what is read and open; if nothing is, of what the last read left behind it. */
  #oldestAgeMs(): number {
    const bornMs = this.#settlement.mark.oldestBornMs;
    if (bornMs === undefined) return this.#intake.lagMs ?? 0;
    return Math.max(0, this.#environment.clock.monotonic() - bornMs);
  }

  explain(): ShardExplanation {
    const { bufferedRecords, bufferedBytes, lagMs, offsetLag, caughtUp, ended, oldestAgeMs } = this.status();
    const { checkpoints, settledRecords, mark } = this.#settlement;
    const { lease } = this.#options;
    const readFailures = this.#environment.problems.explain(this.shardId);
    return {
      shardId: this.shardId,
      epoch: lease.held.epoch,
      bufferedRecords,
      bufferedBytes,
      settledRecords,
      checkpointFailures: checkpoints.failures > 0 ? checkpoints.failures : undefined,
      ...{ lagMs, oldestAgeMs, offsetLag, caughtUp, ended },
      isLeaseLive: lease.isLive,
      settled: mark.resume,
      passedOverRecords: this.#intake.passedOverRecords,
      reading: readingState(this.#life, this.#settlement, readFailures !== undefined),
      readingNow: this.#readNotes.explain(),
      readFailures,
      fullBy: this.#settlement.readAhead.fullBy,
      ...this.#intake.explain(epochOf(this.#environment.clock)),
      handingTo: lease.isEnding ? lease.handingTo : undefined,
      lanes: this.#lanes.explain(),
    };
  }

  // What lanes and batches use.

  #context(): ShardContext {
    const { mapping, report } = this.#environment;
    const life = this.#life;
    const settlement = this.#settlement;
    const { checkpoints } = settlement;
    return {
      ...this.#environment,
      shardId: this.shardId,
      caller: { kind: "mapping", key: mapping.name, shardId: this.shardId },
      report: (problem, where) => report(problem, { shardId: this.shardId, ...where }),
      tracer: shardTracer(this.#environment, this.shardId),
      expiry: new Expiry(mapping),
      parking: this.#parking,
      stopSignal: life.stopSignal,
      callSignal: life.callSignal,
      startPermission: () => life.permission(checkpoints),
      isClosed: () => life.isClosed,
      settle: (records) => {
        if (!life.isClosed) settlement.settle(records);
      },
      windowChanged: () => checkpoints.changed(),
    };
  }
}
