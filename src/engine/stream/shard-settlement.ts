import type { Lease } from "../../leases/lease.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { assertInvariant } from "../../model/errors.ts";
import type { Position, StartPoint } from "../../model/record.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { CheckpointLoop } from "./checkpoint-loop.ts";
import { LowWaterMark } from "./low-water-mark.ts";
import type { ShardLevels } from "./progress-gauges.ts";
import { ReadAhead, readAheadMax } from "./read-ahead.ts";
import { SettledSkip } from "./settled-skip.ts";
import type { ShardEnvironment } from "./shard-environment.ts";
import type { ShardLanes } from "./shard-lanes.ts";
import { ShardLog } from "./shard-log.ts";
import { SourceOrder } from "./source-order.ts";

export interface ShardSettlementOptions {
  readonly environment: ShardEnvironment;
  readonly lease: Lease;
  readonly checkpoint: Checkpoint;
  /** They are made later than this. */
  lanes(): ShardLanes;
  /** All of the shard is settled, durably. */
  onEnded(): void;
  /** Another owner has the shard. */
  onFenced(): void;
  onDefect(error: unknown): void;
}

/**
 * What of a shard is read, what of it is settled, and what of that is durable: the low-water mark, what a checkpoint
 * already called settled, the room for reading ahead, and the checkpoints.
 */
export class ShardSettlement {
  readonly #options: ShardSettlementOptions;
  readonly mark: LowWaterMark;
  readonly log: ShardLog;
  readonly order: SourceOrder;
  readonly readAhead: ReadAhead;
  readonly checkpoints: CheckpointLoop;
  #skip: SettledSkip;
  #isAtEnd: boolean;
  #isEndStored: boolean;
  /** Records settled under this lease: in all, at the newest snapshot, at the newest durable checkpoint. */
  #settledRecords = 0;
  #snapshotRecords = 0;
  #durableRecords = 0;
  /** Where the newest snapshot resumes: the next one of the same log is not before it. */
  #floor: StartPoint;
  /** Records at the source behind the last read, where it tells. */
  unread: number | undefined;
  readonly #setGauges: (levels: ShardLevels | undefined) => void;

  constructor(options: ShardSettlementOptions) {
    const { environment, lease, checkpoint } = options;
    const { mapping, settings, budget, telemetry, source, gauges } = environment;
    this.#options = options;
    this.#setGauges = gauges.shard();
    this.mark = new LowWaterMark(checkpoint.resume);
    this.#floor = checkpoint.resume;
    this.#isAtEnd = checkpoint.ended;
    this.#isEndStored = checkpoint.ended;
    this.#skip = new SettledSkip(checkpoint.settledRanges, (a, b) => source.comparePositions(a, b));
    this.order = new SourceOrder(checkpoint.resume, (a, b) => source.comparePositions(a, b));
    this.log = new ShardLog({
      telemetry,
      mapping: mapping.name,
      shardId: lease.shardId,
      logId: checkpoint.logId,
      isDone: () => this.isAllSettled,
      comparePositions: (a, b) => source.comparePositions(a, b),
    });
    this.readAhead = new ReadAhead({
      settings,
      budget,
      telemetry,
      recordsMax: readAheadMax(mapping, settings),
      mark: this.mark,
      onFull: () => options.lanes().poke(),
    });
    this.checkpoints = this.#checkpointLoop();
  }

  #checkpointLoop(): CheckpointLoop {
    const { environment, lease, checkpoint, onFenced, onDefect } = this.#options;
    const { mapping, problems, clock } = environment;
    return new CheckpointLoop({
      ...environment,
      mappingUuid: mapping.uuid,
      mappingName: mapping.name,
      lease: lease.held,
      revision: checkpoint.revision,
      snapshot: () => this.#snapshot(),
      onStored: (stored) => this.#stored(stored),
      onFailure: (error) => problems.failed(this.#checkpointPlace, error, clock.monotonic()),
      onFenced,
      onDefect,
    });
  }

  // What is known.

  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  get isEndStored(): boolean {
    return this.#isEndStored;
  }

  get settledRecords(): number {
    return this.#settledRecords;
  }

  /** Settled, and a crash now would repeat them. */
  get undurableRecords(): number {
    return this.#settledRecords - this.#durableRecords;
  }

  /** Everything that was read is settled, and nothing waits for more. */
  get isAllSettled(): boolean {
    return this.mark.span === 0 && this.#options.lanes().isEmpty;
  }

  /**
   * Last written less last processed (kafka §7), as of the last read: of what is unread and of what is read and open.
   */
  get offsetLag(): number | undefined {
    return this.unread === undefined ? undefined : this.unread + this.mark.span;
  }

  /** What the checkpoint called settled and was not read again, or not to its end. */
  get unreadRanges() {
    return this.#skip.unread;
  }

  /** Keeps the first of these: the others say nothing of the log that is read now. */
  keepUnreadRanges(count: number): void {
    this.#skip.keepUnread(count);
  }

  // What is read.

  /** To be asked once for each record, in shard order: a checkpoint already calls it settled. */
  wasSettled(position: Position): boolean {
    return this.#skip.isSettled(position);
  }

  /** A position without a record is settled once all before it is. */
  takePlace(position: Position): void {
    this.#skip.isSettled(position);
    this.mark.settle(this.mark.append(position, undefined));
  }

  /** Nothing will come behind what was read. */
  reachEnd(): void {
    this.#isAtEnd = true;
  }

  /** What is read from now on belongs to another log, or repeats some; nothing may be open. */
  restart(from: StartPoint): void {
    this.mark.restart(from);
    this.order.restart(from);
    this.#floor = from;
    // What was settled ahead in the old log says nothing of this one.
    // plant: what-was-settled-ahead-in-the-old-log-is-skipped-in-the-new-one
    this.#skip = this.#skipNothing();
  }

  #skipNothing(): SettledSkip {
    return new SettledSkip([], (a, b) => this.#options.environment.source.comparePositions(a, b));
  }

  // What is settled.

  settle(records: readonly BufferedRecord[]): void {
    let bytes = 0;
    for (const { record, ordinal } of records) {
      bytes += record.bytes;
      this.mark.settle(ordinal);
    }
    if (this.mark.settledAhead > 0)
      this.#options.environment.telemetry.mark("settled ahead of the low-water mark");
    this.checkpoints.changed();
    this.#settledRecords += records.length;
    // plant: a-shard-gives-back-more-than-it-has-read-ahead
    this.readAhead.release(records.length, bytes);
    this.gauge();
    this.log.progressed();
  }

  endIfDone(): void {
    if (this.#isDone() && !this.#isEndStored) this.checkpoints.ended();
  }

  #isDone(): boolean {
    // plant: a-shard-is-called-ended-while-records-are-in-flight
    return this.#isAtEnd && this.isAllSettled;
  }

  #snapshot(): Omit<Checkpoint, "revision"> {
    this.#snapshotRecords = this.#settledRecords;
    const { logId } = this.log;
    return {
      ...this.#reached(),
      ended: this.#isDone(),
      window: this.#options.lanes().windowCheckpoint,
      ...(logId === undefined ? {} : { logId }),
    };
  }

  /** While something that came out of order is open, its place says nothing: what was reached before it stands. */
  #reached(): Pick<Checkpoint, "resume" | "settledRanges"> {
    if (this.order.isBroken && this.mark.span > 0) return { resume: this.#floor, settledRanges: [] };
    this.#mendOrder();
    const { resume } = this.mark;
    this.#keepFloor(resume);
    return {
      resume,
      // plant: settled-ranges-are-not-stored
      // plant: settled-ranges-that-are-not-read-yet-are-forgotten
      settledRanges: this.#skip.withUnread(this.mark.settledRanges()),
    };
  }

  #mendOrder(): void {
    const { isBroken, highest } = this.order;
    if (!isBroken || highest === undefined) return;
    this.order.mend();
    this.mark.restart({ kind: "after", position: highest });
  }

  #keepFloor(resume: StartPoint): void {
    const floor = this.#floor;
    const { source } = this.#options.environment;
    const isBack =
      floor.kind === "after" &&
      (resume.kind !== "after" || source.comparePositions(resume.position, floor.position) < 0);
    assertInvariant(!isBack, `the low-water mark of ${this.#options.lease.shardId} has gone back`);
    this.#floor = resume;
  }

  #stored(stored: Checkpoint): void {
    this.#options.environment.problems.worked(this.#checkpointPlace);
    this.#durableRecords = this.#snapshotRecords;
    this.gauge();
    if (!stored.ended || this.#isEndStored) return;
    this.#isEndStored = true;
    this.#options.onEnded();
  }

  // What is told.

  gauge(): void {
    this.#setGauges({
      bufferedRecords: this.readAhead.records,
      bufferedBytes: this.readAhead.bytes,
      checkpointLagRecords: this.undurableRecords,
    });
    if (this.unread !== undefined) this.#gaugeLag(this.offsetLag);
  }

  /** The worker has ended: it adds nothing to the gauges of its mapping. */
  ungauge(): void {
    this.#setGauges(undefined);
    this.#options.environment.problems.worked(this.#checkpointPlace);
    this.#gaugeLag(undefined);
  }

  #gaugeLag(records: number | undefined): void {
    const { telemetry, mapping } = this.#options.environment;
    telemetry.offsetLag(mapping.name, this.#options.lease.shardId, records);
  }

  /** The place of the problems that its checkpoints have. */
  get #checkpointPlace(): string {
    return `checkpoints of ${this.#options.lease.shardId}`;
  }
}
