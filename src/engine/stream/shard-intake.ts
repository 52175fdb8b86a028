import type { Position, StreamRecord } from "../../model/record.ts";
import type { LogAnew, ShardRead } from "../../ports/stream-source.ts";
import { FilterNotes } from "../filter-notes.ts";
import type { BufferedRecord, ReadMoment } from "./buffered-record.ts";
import { bornMs } from "./expiry.ts";
import type { ReadNotes } from "./read-notes.ts";
import type { ShardEnvironment } from "./shard-environment.ts";
import type { ShardLanes } from "./shard-lanes.ts";
import type { ShardLife } from "./shard-life.ts";
import type { ShardParking } from "./shard-parking.ts";
import type { ShardSettlement } from "./shard-settlement.ts";
import { reasonOf } from "./throwing-source.ts";

export interface ShardIntakeOptions {
  readonly environment: ShardEnvironment;
  readonly shardId: string;
  readonly life: ShardLife;
  readonly settlement: ShardSettlement;
  readonly lanes: ShardLanes;
  /** Absent: no key is ever parked. */
  readonly parking: Pick<ShardParking, "take"> | undefined;
  readonly notes: ReadNotes;
  /** The shard is a log that was made anew: resolves when that log's parents are past, or with the signal. */
  whenParentsArePast(signal: AbortSignal): Promise<void>;
}

/** Takes over what was read of a shard: what the filter drops is settled at once, the rest goes to the lanes. */
export class ShardIntake {
  readonly #options: ShardIntakeOptions;
  #lagMs: number | undefined;
  #hasIdleRead = false;
  #passedOverRecords = 0;
  /** Monotonic. */
  #trimmedMs: number | undefined;
  #skippingRecords = 0;
  readonly #filtered: FilterNotes;

  constructor(options: ShardIntakeOptions) {
    this.#options = options;
    this.#filtered = new FilterNotes(options.environment.clock);
  }

  /** As of the last read, milliseconds; `undefined`: the source does not tell. */
  get lagMs(): number | undefined {
    return this.#lagMs;
  }

  /** The last read found nothing, and there was nothing behind it. */
  get hasIdleRead(): boolean {
    return this.#hasIdleRead;
  }

  /** Records that were read and are not for the function: filtered out, or settled before. */
  get passedOverRecords(): number {
    return this.#passedOverRecords;
  }

  /** What it has noted for people. `epochMs` tells the time of a monotonic one. */
  explain(epochMs: (monotonicMs: number) => number) {
    return {
      trimmedMs: this.#trimmedMs === undefined ? undefined : epochMs(this.#trimmedMs),
      skippingRecords: this.#skippingRecords,
      filteredOut: this.#filtered.explain(epochMs),
    };
  }

  /** The next read waits for a promise. */
  onRead(read: ShardRead): Promise<void> | undefined {
    const { environment, shardId, settlement } = this.#options;
    if (read.nothingHeard !== true) environment.problems.worked(shardId);
    if (read.anew !== undefined) return this.#turnTo(read, read.anew);
    if (settlement.log.isNews(read) && settlement.unreadRanges.length > 0) return this.#takeOfOther(read);
    this.#take(read);
    return undefined;
  }

  #take(read: ShardRead): void {
    const { environment, settlement, lanes } = this.#options;
    const { telemetry, mapping } = environment;
    const { mark, readAhead, checkpoints, log } = settlement;
    telemetry.count("polled_events", mapping.name, read.records.length);
    this.#lagMs = read.lagMs;
    settlement.unread = read.offsetLag;
    const hasMore = (read.lagMs ?? 0) > 0 || (read.offsetLag ?? 0) > 0;
    this.#hasIdleRead = read.records.length === 0 && !hasMore;
    if (read.trimmed) this.#reportGap();
    const strays = settlement.order.strays(read.records);
    if (strays > 0) this.#reportStrays(strays);
    const settledBefore = mark.resume;
    const bufferedBefore = readAhead.records;
    const moment = this.#momentOf(read);
    const skipped = this.#takeRecords(read.records, moment);
    this.#skippingRecords =
      skipped > 0 && skipped === read.records.length ? this.#skippingRecords + skipped : 0;
    this.#passedOverRecords += read.records.length - (readAhead.records - bufferedBefore);
    const looked = log.lookedBehind(read, mark.resume);
    // plant: a-place-without-a-record-moves-nothing
    if (looked !== undefined) settlement.takePlace(looked);
    // plant: a-place-without-a-record-is-not-made-durable
    if (log.saw(read) || mark.resume !== settledBefore) checkpoints.changed();
    settlement.gauge();
    // plant: an-empty-read-is-taken-for-the-end-of-the-shard
    if (read.endOfShard) {
      settlement.reachEnd();
      if (readAhead.records > 0) telemetry.mark("end of shard with records in flight");
    }
    if (this.#hasIdleRead) lanes.sawIdleRead(moment.answeredMs ?? moment.wallMs);
    lanes.poke();
    settlement.endIfDone();
  }

  /** Returns how many of them were settled before. */
  #takeRecords(records: readonly StreamRecord[], moment: ReadMoment): number {
    let [skipped, passed, filtered] = [0, 0, 0];
    for (const record of records) {
      const end = this.#takeRecord(record, moment);
      if (end === "skipped") skipped++;
      else if (end === "passed") passed++;
      else filtered++;
    }
    this.#filtered.saw(passed, filtered);
    return skipped;
  }

  #takeRecord(record: StreamRecord, read: ReadMoment): "skipped" | "passed" | "filtered" {
    const { environment, settlement, lanes, parking } = this.#options;
    const { telemetry, mapping } = environment;
    const { mark, readAhead } = settlement;
    const ordinal = mark.append(record.position, bornMs(record.arrivalMs, read));
    // plant: settled-ranges-are-not-skipped-after-a-restart
    if (settlement.wasSettled(record.position)) {
      telemetry.mark("settled range resumed after restart");
      telemetry.count("skipped_events", mapping.name, 1);
      mark.settle(ordinal);
      return "skipped";
    }
    const buffered: BufferedRecord = { record, ordinal, read };
    if (!this.#passes(buffered)) {
      telemetry.count("filtered_out_events", mapping.name, 1);
      mark.settle(ordinal);
      if (readAhead.records === 0) telemetry.mark("filtered page moves the mark without an invocation");
      return "filtered";
    }
    readAhead.take(record.bytes);
    if (parking?.take(buffered) !== true) lanes.push(buffered);
    return "passed";
  }

  /** What cannot be judged passes, and is given up where it would be run. */
  #passes(buffered: BufferedRecord): boolean {
    const { filter, source } = this.#options.environment;
    if (filter === undefined || buffered.record.damage !== undefined) return true;
    try {
      return filter.matches(source.events.filterDocument(buffered.record));
    } catch (error) {
      buffered.damage = reasonOf("show the filter", error);
      return true;
    }
  }

  #momentOf({ answeredMs, logId }: ShardRead): ReadMoment {
    const { clock } = this.#options.environment;
    return { monotonicMs: clock.monotonic(), wallMs: clock.now(), answeredMs, logId };
  }

  #reportGap(): void {
    const { telemetry, mapping, clock } = this.#options.environment;
    this.#trimmedMs = clock.monotonic();
    telemetry.mark("source trimmed a gap");
    telemetry.count("trimmed_gaps", mapping.name, 1);
    telemetry.log("error", "the source trimmed records before they were read; going on with its oldest", {
      mapping: mapping.name,
      shardId: this.#options.shardId,
    });
  }

  #reportStrays(records: number): void {
    const { lines, mapping } = this.#options.environment;
    const { shardId, settlement } = this.#options;
    const message =
      "the source gave records again, or out of their order: they are processed as they come, and the checkpoint stands " +
      "until they are; look at what answers in the source's place, such as a proxy or an emulator";
    const behind = settlement.order.highest;
    lines.write("warn", message, { mapping: mapping.name, shardId, records, behind });
  }

  // Another log under the shard's name.

  /**
   * What the checkpoint called settled ahead of the mark may have been lost with the end of the log, though all that
   * was read is still there: then other records stand at its positions. Without the source's word for it they are read
   * again.
   */
  async #takeOfOther(read: ShardRead): Promise<void> {
    const { settlement, life } = this.#options;
    const unread = settlement.unreadRanges;
    let kept = 0;
    // What is lost is the end.
    for (let rest = unread.length; kept < rest; ) {
      const middle = (kept + rest) >> 1;
      const range = unread[middle];
      // plant: settled-ranges-are-believed-of-a-log-that-lost-them
      if (range !== undefined && (await this.#isServed(range.to))) kept = middle + 1;
      else rest = middle;
      if (!life.isRunning) return;
    }
    settlement.keepUnreadRanges(kept);
    this.#take(read);
  }

  async #isServed(position: Position): Promise<boolean> {
    const { environment, shardId, life, settlement } = this.#options;
    const { source } = environment;
    try {
      return (await source.stillServes?.(shardId, position, life.stopSignal, settlement.log.logId)) ?? true;
    } catch {
      return false;
    }
  }

  async #turnTo(read: ShardRead, anew: LogAnew): Promise<void> {
    const { settlement, lanes, life, notes } = this.#options;
    this.#hasIdleRead = false;
    await settlement.log.turn(anew, () => lanes.poke());
    if (anew.because === "remade" && life.isRunning) {
      notes.does("waitingForParents");
      // plant: a-shard-made-anew-does-not-wait-for-its-new-parents
      await this.#options.whenParentsArePast(life.stopSignal);
    }
    if (!life.isRunning) return;
    settlement.log.saw(read);
    settlement.restart(anew.from);
    this.#lagMs = read.lagMs;
    settlement.unread = read.offsetLag;
    settlement.checkpoints.changed();
    settlement.gauge();
  }
}
