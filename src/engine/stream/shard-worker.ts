import type { Lease } from "../../leases/lease.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { describeError } from "../../model/errors.ts";
import type { Position, StreamRecord } from "../../model/record.ts";
import type { LogAnew, ShardRead } from "../../ports/stream-source.ts";
import type { LaneExplanation, ShardExplanation } from "../explanation.ts";
import { streamSubject } from "../trace/trace-subject.ts";
import { Tracer } from "../trace/tracer.ts";
import type { BufferedRecord, ReadMoment } from "./buffered-record.ts";
import { CheckpointLoop } from "./checkpoint-loop.ts";
import { bornMs, Expiry } from "./expiry.ts";
import { Lane } from "./lane.ts";
import { laneOfKey } from "./lane-of-key.ts";
import { LowWaterMark } from "./low-water-mark.ts";
import type { ShardLevels } from "./progress-gauges.ts";
import { ReadAhead, readAheadMax } from "./read-ahead.ts";
import { runReadLoop } from "./read-loop.ts";
import { ReadNotes } from "./read-notes.ts";
import { SettledSkip } from "./settled-skip.ts";
import type { ShardContext, StartPermission } from "./shard-context.ts";
import type { ShardEnvironment } from "./shard-environment.ts";
import { ShardLog } from "./shard-log.ts";
import { reasonOf } from "./throwing-source.ts";

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

/** Processes one shard under one lease: reads ahead, hands records to lanes, settles and checkpoints. */
export class ShardWorker {
  readonly #options: ShardWorkerOptions;
  readonly #environment: ShardEnvironment;
  readonly #lanes: readonly Lane[];
  readonly #mark: LowWaterMark;
  #skip: SettledSkip;
  readonly #log: ShardLog;
  readonly #readAhead: ReadAhead;
  readonly #checkpoints: CheckpointLoop;
  readonly #stop = new AbortController();
  readonly #calls = new AbortController();
  #state: "running" | "draining" | "closed" = "running";
  #reading: Promise<void> = Promise.resolve();
  #isAtEnd: boolean;
  #isEndStored: boolean;
  #onDrained: (() => void) | undefined;
  #keylessRecords = 0;
  readonly #setGauges: (levels: ShardLevels | undefined) => void;
  /** Records settled under this lease: in all, at the newest snapshot, at the newest durable checkpoint. */
  #settledRecords = 0;
  #snapshotRecords = 0;
  #durableRecords = 0;
  #lagMs: number | undefined;
  /** Records at the source behind the last read. */
  #unread: number | undefined;
  #hasIdleRead = false;
  #passedOverRecords = 0;
  readonly #readNotes: ReadNotes;

  constructor(options: ShardWorkerOptions) {
    const { environment, lease, checkpoint } = options;
    this.#options = options;
    this.#environment = environment;
    this.#setGauges = environment.gauges.shard();
    this.#readNotes = new ReadNotes(environment.clock);
    this.#mark = new LowWaterMark(checkpoint.resume);
    this.#isAtEnd = checkpoint.ended;
    this.#isEndStored = checkpoint.ended;
    this.#skip = new SettledSkip(checkpoint.settledRanges, (a, b) =>
      environment.source.comparePositions(a, b),
    );
    const { mapping, store, settings, clock, random, telemetry, budget } = environment;
    this.#log = new ShardLog({
      telemetry,
      mapping: mapping.name,
      shardId: lease.shardId,
      logId: checkpoint.logId,
      isDone: () => this.#isAllSettled(),
      comparePositions: (a, b) => environment.source.comparePositions(a, b),
    });
    this.#readAhead = new ReadAhead({
      settings,
      budget,
      telemetry,
      recordsMax: readAheadMax(mapping, settings),
      places: () => this.#mark.places,
      onFull: () => this.#pokeLanes(),
    });
    this.#checkpoints = new CheckpointLoop({
      store,
      mappingUuid: mapping.uuid,
      mappingName: mapping.name,
      lease: lease.held,
      settings,
      clock,
      random,
      telemetry,
      lines: environment.lines,
      revision: checkpoint.revision,
      snapshot: () => this.#snapshot(),
      onStored: (stored) => this.#stored(stored),
      onFailure: (error) =>
        environment.problems.failed(this.#checkpointPlace, error, environment.clock.monotonic()),
      onFenced: () => this.#fenced(),
      onDefect: (error) => this.#defect(error),
    });
    const context = this.#context();
    this.#lanes = Array.from(
      // plant: one-failing-key-stops-its-whole-shard
      { length: mapping.parallelizationFactor },
      (_, index) =>
        new Lane({
          context,
          isPressed: () => this.#readAhead.isFull,
          isAtEnd: () => this.#isAtEnd || this.#log.isTurning,
          onIdle: () => this.#laneIdle(),
          onDefect: (error) => this.#defect(error),
          window: index === 0 ? checkpoint.window : undefined,
        }),
    );
  }

  get shardId(): string {
    return this.#options.lease.shardId;
  }

  start(): void {
    const { mapping, source, clock, telemetry, settings, reads, outages, lines } = this.#environment;
    this.#reading = runReadLoop({
      mappingName: mapping.name,
      shardId: this.shardId,
      source,
      // plant: a-shard-is-read-from-its-oldest-record-after-a-restart
      start: this.#mark.resume,
      inquiry: this.#environment.inquiry,
      logId: this.#log.logId,
      clock,
      telemetry,
      limits: settings,
      reads,
      outages,
      lines,
      stopSignal: this.#stop.signal,
      notes: this.#readNotes,
      room: () => this.#readAhead.room(),
      onRead: (read) => {
        if (read.nothingHeard !== true) this.#environment.problems.worked(this.shardId);
        if (read.anew !== undefined) return this.#turnTo(read, read.anew);
        if (this.#log.isNews(read) && this.#skip.unread.length > 0) return this.#takeOfOther(read);
        this.#take(read);
        return undefined;
      },
      onFailure: (error, silentMs) =>
        this.#environment.problems.failed(this.shardId, error, this.#environment.clock.monotonic(), silentMs),
    }).catch((error: unknown) => this.#defect(error));
  }

  /** Starts nothing new and resolves when all that runs has ended and its progress is stored. `close` cuts it short. */
  async drain(): Promise<void> {
    if (this.#state !== "running") return;
    this.#state = "draining";
    this.#stop.abort();
    this.#log.release();
    for (const lane of this.#lanes) lane.stop();
    this.#readAhead.stop();
    await this.#reading;
    if (this.#lanes.some((lane) => lane.isRunning)) {
      this.#environment.telemetry.mark("stopped with batches in flight");
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
    if (!this.#isOpen() || this.#checkpoints.isDurable) return;
    await this.#checkpoints.flush();
    if (this.#isOpen()) this.#environment.telemetry.mark("last checkpoint written while draining");
  }

  /**
   * Stops at once: what runs is given up and settles nothing; progress made so far is stored if `storeProgress`.
   * Resolves to the records that are settled and not durable: they come again.
   */
  async close(storeProgress: boolean): Promise<number> {
    if (this.#state === "closed") return 0;
    this.#tellGivenUp(storeProgress);
    this.#state = "closed";
    this.#stop.abort();
    this.#log.release();
    this.#calls.abort();
    for (const lane of this.#lanes) lane.stop();
    this.#readAhead.forget();
    this.#onDrained?.();
    if (storeProgress) await this.#checkpoints.flushInTries(FINAL_CHECKPOINT_TRIES);
    const comesAgain = storeProgress ? this.#tellUndurable() : 0;
    this.#checkpoints.close();
    this.#setGauges(undefined);
    this.#environment.problems.worked(this.shardId);
    this.#environment.problems.worked(this.#checkpointPlace);
    this.#telemetryOfLag(undefined);
    return comesAgain;
  }

  /** Invocations that still run are left to themselves: nobody hears what becomes of them. */
  #tellGivenUp(isDrained: boolean): void {
    const { telemetry, mapping } = this.#environment;
    const invocations = this.#lanes.filter((lane) => lane.isRunning).length;
    if (invocations === 0) return;
    telemetry.mark(isDrained ? "drain deadline passed" : "lease lost in flight");
    const message = isDrained
      ? "batches were given up at the end of the drain: their records come again"
      : "batches were given up with the lease of their shard: their records come again";
    const { resume } = this.#mark;
    const from = resume.kind === "after" ? resume.position : resume.kind;
    const fields = { mapping: mapping.name, shardId: this.shardId, batches: invocations, behind: from };
    telemetry.log("warn", message, { ...fields, records: this.#readAhead.records });
  }

  #tellUndurable(): number {
    if (this.#checkpoints.isDurable || this.#checkpoints.isClosed) return 0;
    const { telemetry, mapping } = this.#environment;
    telemetry.mark("stopped without a last checkpoint");
    const records = this.#settledRecords - this.#durableRecords;
    const message =
      "the store has not taken the last checkpoint of a shard: what was settled since the one before comes again";
    telemetry.log("error", message, { mapping: mapping.name, shardId: this.shardId, records });
    return Math.max(1, records);
  }

  /**
   * Stops writing checkpoints: the engine has ended, and what the store did not take in time comes again: so many
   * records.
   */
  abandon(): number {
    const comesAgain = this.#tellUndurable();
    this.#checkpoints.close();
    return comesAgain;
  }

  status() {
    const inFlight = this.#lanes.filter((lane) => lane.isRunning).length;
    const { begun } = this.#options;
    return {
      shardId: this.shardId,
      bufferedRecords: this.#readAhead.records,
      bufferedBytes: this.#readAhead.bytes,
      inFlight,
      oldestAgeMs: this.#oldestAgeMs(),
      lagMs: this.#lagMs,
      offsetLag: this.#offsetLag,
      caughtUp:
        this.#hasIdleRead && this.#readAhead.records === 0 && inFlight === 0 && this.#checkpoints.isDurable,
      ended: this.#isEndStored,
      ...(begun === undefined ? {} : { begun }),
    };
  }

  get unansweredMs(): number {
    return this.#readNotes.unansweredMs;
  }

  /** The oldest age of what is read and open; if nothing is, of what the last read left behind it. */
  #oldestAgeMs(): number {
    const bornMs = this.#mark.oldestBornMs;
    if (bornMs === undefined) return this.#lagMs ?? 0;
    return Math.max(0, this.#environment.clock.monotonic() - bornMs);
  }

  explain(): ShardExplanation {
    const { bufferedRecords, bufferedBytes, lagMs, offsetLag, caughtUp, ended } = this.status();
    const lanes: LaneExplanation[] = this.#lanes.flatMap((lane, index) => lane.explain(index) ?? []);
    const readFailures = this.#environment.problems.explain(this.shardId);
    return {
      shardId: this.shardId,
      epoch: this.#options.lease.held.epoch,
      bufferedRecords,
      bufferedBytes,
      settledRecords: this.#settledRecords,
      checkpointFailures: this.#checkpoints.failures > 0 ? this.#checkpoints.failures : undefined,
      lagMs,
      offsetLag,
      caughtUp,
      ended,
      isLeaseLive: this.#options.lease.isLive,
      settled: this.#mark.resume,
      passedOverRecords: this.#passedOverRecords,
      reading: this.#readingNow(readFailures !== undefined),
      readingNow: this.#readNotes.explain(),
      readFailures,
      lanes,
    };
  }

  #readingNow(isFailing: boolean): ShardExplanation["reading"] {
    if (this.#state !== "running") return "stopped";
    if (this.#isAtEnd) return "atEnd";
    if (isFailing) return "failing";
    return this.#readAhead.isFull ? "full" : "reading";
  }

  #context(): ShardContext {
    const { mapping, source, settings, clock, random, telemetry, invoker, delivery, report } =
      this.#environment;
    return {
      mapping,
      shardId: this.shardId,
      source,
      settings,
      clock,
      random,
      telemetry,
      invoker,
      caller: { kind: "mapping", key: mapping.name, shardId: this.shardId },
      delivery,
      report: (problem, where) => report(problem, { shardId: this.shardId, ...where }),
      tracer: this.#tracer(),
      expiry: new Expiry(mapping),
      stopSignal: this.#stop.signal,
      callSignal: this.#calls.signal,
      startPermission: () => this.#startPermission(),
      isClosed: () => this.#state === "closed",
      settle: (records) => this.#settle(records),
      windowChanged: () => this.#checkpoints.changed(),
    };
  }

  #tracer(): Tracer | undefined {
    const { tracing, clock, random, mapping, source } = this.#environment;
    if (tracing === undefined) return undefined;
    const subject = streamSubject(mapping, source.description, this.shardId);
    return new Tracer({ tracing, clock, random, subject });
  }

  /** A method, since the state changes behind awaits, which narrowing does not see. */
  #isOpen(): boolean {
    return this.#state !== "closed";
  }

  #startPermission(): StartPermission {
    // plant: a-stopped-engine-spins-over-its-retries
    if (this.#state !== "running") return "stop";
    // plant: invocations-start-without-a-live-lease
    if (!this.#options.lease.isLive) return "leaseless";
    // plant: work-goes-on-while-the-store-takes-no-checkpoints
    return this.#checkpoints.isBehind ? "undurable" : "start";
  }

  /** The place of the problems that its checkpoints have. */
  get #checkpointPlace(): string {
    return `checkpoints of ${this.shardId}`;
  }

  #take(read: ShardRead): void {
    const { telemetry, mapping } = this.#environment;
    telemetry.count("polled_events", mapping.name, read.records.length);
    this.#lagMs = read.lagMs;
    this.#unread = read.offsetLag;
    const hasMore = (read.lagMs ?? 0) > 0 || (read.offsetLag ?? 0) > 0;
    this.#hasIdleRead = read.records.length === 0 && !hasMore;
    if (read.trimmed) this.#reportGap();
    const settledBefore = this.#mark.resume;
    const bufferedBefore = this.#readAhead.records;
    const moment = this.#momentOf(read);
    for (const record of read.records) this.#takeRecord(record, moment);
    this.#passedOverRecords += read.records.length - (this.#readAhead.records - bufferedBefore);
    const looked = this.#log.lookedBehind(read, this.#mark.resume);
    // plant: a-place-without-a-record-moves-nothing
    if (looked !== undefined) this.#takePlace(looked);
    // plant: a-place-without-a-record-is-not-made-durable
    if (this.#log.saw(read) || this.#mark.resume !== settledBefore) this.#checkpoints.changed();
    this.#gauge();
    // plant: an-empty-read-is-taken-for-the-end-of-the-shard
    if (read.endOfShard) {
      this.#isAtEnd = true;
      if (this.#readAhead.records > 0) telemetry.mark("end of shard with records in flight");
    }
    if (this.#hasIdleRead)
      for (const lane of this.#lanes) lane.sawIdleRead(moment.answeredMs ?? moment.wallMs);
    this.#pokeLanes();
    this.#endIfDone();
  }

  /** A position without a record is settled once all before it is. */
  #takePlace(position: Position): void {
    this.#skip.isSettled(position);
    this.#mark.settle(this.#mark.append(position, undefined));
  }

  /**
   * What the checkpoint called settled ahead of the mark may have been lost with the end of the log, though all that
   * was read is still there: then other records stand at its positions. Without the source's word for it they are read
   * again.
   */
  async #takeOfOther(read: ShardRead): Promise<void> {
    const { unread } = this.#skip;
    let kept = 0;
    // What is lost is the end.
    for (let rest = unread.length; kept < rest; ) {
      const middle = (kept + rest) >> 1;
      const range = unread[middle];
      // plant: settled-ranges-are-believed-of-a-log-that-lost-them
      if (range !== undefined && (await this.#isServed(range.to))) kept = middle + 1;
      else rest = middle;
      if (this.#state !== "running") return;
    }
    this.#skip.keepUnread(kept);
    this.#take(read);
  }

  async #isServed(position: Position): Promise<boolean> {
    const { source } = this.#environment;
    try {
      return (await source.stillServes?.(this.shardId, position, this.#stop.signal, this.#log.logId)) ?? true;
    } catch {
      return false;
    }
  }

  #skipNothing(): SettledSkip {
    return new SettledSkip([], (a, b) => this.#environment.source.comparePositions(a, b));
  }

  async #turnTo(read: ShardRead, anew: LogAnew): Promise<void> {
    this.#hasIdleRead = false;
    await this.#log.turn(anew, () => this.#pokeLanes());
    if (anew.because === "remade" && this.#state === "running") {
      this.#readNotes.does("waitingForParents");
      // plant: a-shard-made-anew-does-not-wait-for-its-new-parents
      await this.#options.whenParentsArePast(this.#stop.signal);
    }
    if (this.#state !== "running") return;
    this.#log.saw(read);
    this.#mark.restart(anew.from);
    // What was settled ahead in the old log says nothing of this one.
    // plant: what-was-settled-ahead-in-the-old-log-is-skipped-in-the-new-one
    this.#skip = this.#skipNothing();
    this.#lagMs = read.lagMs;
    this.#unread = read.offsetLag;
    this.#checkpoints.changed();
    this.#gauge();
  }

  #pokeLanes(): void {
    for (const lane of this.#lanes) lane.poke();
  }

  #momentOf({ answeredMs, logId }: ShardRead): ReadMoment {
    const { clock } = this.#environment;
    return { monotonicMs: clock.monotonic(), wallMs: clock.now(), answeredMs, logId };
  }

  #takeRecord(record: StreamRecord, read: ReadMoment): void {
    const { telemetry, mapping } = this.#environment;
    const ordinal = this.#mark.append(record.position, bornMs(record.arrivalMs, read));
    // plant: settled-ranges-are-not-skipped-after-a-restart
    if (this.#skip.isSettled(record.position)) {
      telemetry.mark("settled range resumed after restart");
      telemetry.count("skipped_events", mapping.name, 1);
      this.#mark.settle(ordinal);
      return;
    }
    const buffered: BufferedRecord = { record, ordinal, read };
    if (!this.#passes(buffered)) {
      telemetry.count("filtered_out_events", mapping.name, 1);
      this.#mark.settle(ordinal);
      if (this.#readAhead.records === 0) telemetry.mark("filtered page moves the mark without an invocation");
      return;
    }
    this.#readAhead.take(record.bytes);
    this.#laneOf(record)?.push(buffered);
  }

  /** What cannot be judged passes, and is given up where it would be run. */
  #passes(buffered: BufferedRecord): boolean {
    const { filter, source } = this.#environment;
    if (filter === undefined || buffered.record.damage !== undefined) return true;
    try {
      return filter.matches(source.events.filterDocument(buffered.record));
    } catch (error) {
      buffered.damage = reasonOf("show the filter", error);
      return true;
    }
  }

  #laneOf(record: StreamRecord): Lane | undefined {
    const lanes = this.#lanes.length;
    // plant: the-lane-does-not-depend-on-the-key
    const index = record.key === undefined ? this.#keylessRecords++ % lanes : laneOfKey(record.key, lanes);
    return this.#lanes[index];
  }

  #reportGap(): void {
    const { telemetry, mapping } = this.#environment;
    telemetry.mark("source trimmed a gap");
    telemetry.count("trimmed_gaps", mapping.name, 1);
    telemetry.log("error", "the source trimmed records before they were read; going on with its oldest", {
      mapping: mapping.name,
      shardId: this.shardId,
    });
  }

  // Settling.

  #settle(records: readonly BufferedRecord[]): void {
    if (this.#state === "closed") return;
    const { telemetry } = this.#environment;
    let bytes = 0;
    for (const { record, ordinal } of records) {
      bytes += record.bytes;
      this.#mark.settle(ordinal);
    }
    if (this.#mark.settledAhead > 0) telemetry.mark("settled ahead of the low-water mark");
    this.#checkpoints.changed();
    this.#settledRecords += records.length;
    this.#readAhead.release(records.length, bytes);
    this.#gauge();
    this.#log.progressed();
  }

  #laneIdle(): void {
    if (this.#lanes.some((lane) => lane.isRunning)) return;
    this.#onDrained?.();
    this.#log.progressed();
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#isDone() && !this.#isEndStored) this.#checkpoints.ended();
  }

  #isDone(): boolean {
    // plant: a-shard-is-called-ended-while-records-are-in-flight
    return this.#isAtEnd && this.#isAllSettled();
  }

  #isAllSettled(): boolean {
    return this.#mark.span === 0 && this.#lanes.every((lane) => lane.isEmpty);
  }

  #snapshot(): Omit<Checkpoint, "revision"> {
    this.#snapshotRecords = this.#settledRecords;
    const { logId } = this.#log;
    return {
      resume: this.#mark.resume,
      // plant: settled-ranges-are-not-stored
      // plant: settled-ranges-that-are-not-read-yet-are-forgotten
      settledRanges: this.#skip.withUnread(this.#mark.settledRanges()),
      ended: this.#isDone(),
      window: this.#lanes[0]?.windowCheckpoint,
      ...(logId === undefined ? {} : { logId }),
    };
  }

  #stored(stored: Checkpoint): void {
    this.#environment.problems.worked(this.#checkpointPlace);
    this.#durableRecords = this.#snapshotRecords;
    this.#gauge();
    if (!stored.ended || this.#isEndStored) return;
    this.#isEndStored = true;
    this.#options.onEnded();
  }

  // Ending.

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

  #gauge(): void {
    this.#setGauges({
      bufferedRecords: this.#readAhead.records,
      bufferedBytes: this.#readAhead.bytes,
      checkpointLagRecords: this.#settledRecords - this.#durableRecords,
    });
    if (this.#unread !== undefined) this.#telemetryOfLag(this.#offsetLag);
  }

  /**
   * Last written less last processed (kafka §7), as of the last read: of what is unread and of what is read and open.
   */
  get #offsetLag(): number | undefined {
    return this.#unread === undefined ? undefined : this.#unread + this.#mark.span;
  }

  #telemetryOfLag(records: number | undefined): void {
    const { telemetry, mapping } = this.#environment;
    telemetry.offsetLag(mapping.name, this.shardId, records);
  }
}
