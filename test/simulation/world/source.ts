import { MillraceError } from "../../../src/model/errors.ts";
import type { Shard, StartPoint } from "../../../src/model/record.ts";
import type {
  ShardRead,
  ShardReader,
  StreamDescription,
  StreamEvents,
  StreamSource,
} from "../../../src/ports/stream-source.ts";
import type { HistoryEvent } from "../history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { FaultDesk } from "./fault-desk.ts";
import type { SimProcess } from "./process.ts";
import {
  comparePositions,
  EPOCH_MS,
  indexAtOrAfter,
  type SimShard,
  type SimStream,
  startIndex,
} from "./stream.ts";

export interface SourceOptions {
  readonly stream: SimStream;
  readonly process: SimProcess;
  readonly time: VirtualTime;
  readonly faults: FaultDesk;
  readonly events: StreamEvents;
  readonly retentionMs: number | undefined;
  /** The source's read quota: time from one read of a shard to the next. */
  readonly readIntervalMs: number;
  readonly tellsLag: boolean;
  /** Like a Kafka topic (`MappingScenario.isTopic`). */
  readonly isTopic?: boolean;
  record(event: HistoryEvent): void;
  breach(message: string): void;
}

export const SIM_STREAM_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/simulated";
let nextReaderId = 0;

/** One process's connector to a stream. Its laws are those of the port; its troubles are those of the scenario. */
export function createSimSource(options: SourceOptions): StreamSource {
  const { stream, process, faults, time } = options;
  const description: StreamDescription = {
    kind: "simulated",
    eventSourceArn: SIM_STREAM_ARN,
    batchInfoName: "KinesisBatchInfo",
    arrivalPrecision: "milliseconds",
    oversizedRecord: options.isTopic === true ? "givenUp" : "retried",
    batchingWindowFrom: options.isTopic === true ? "firstRecord" : "lastInvocation",
  };
  const shardOf = (shardId: string): SimShard => {
    const shard = stream.shard(shardId);
    if (shard !== undefined) return shard;
    throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", `Stream has no shard ${shardId}.`);
  };
  const isDown = (kind: "listing failed" | "opening failed") =>
    faults.isOut("source") || faults.roll(kind, process.random);
  const omits = (kind: "listing omits") => faults.roll(kind, process.random);
  const latency = () => 0.5 + 9.5 * process.random.next();
  return {
    description,
    events: options.events,
    comparePositions,
    listShards: (signal) =>
      process.call({
        travelMs: latency(),
        replyMs: latency(),
        signal,
        serve: (): readonly Shard[] => {
          if (isDown("listing failed")) throw unavailable("list the shards");
          const shards = stream.shards.map(toShard).sort(() => process.random.next() - 0.5);
          return omits("listing omits") ? shards.filter(() => process.random.chance(0.6)) : shards;
        },
      }),
    knowsShard: (shardId, signal) =>
      process.call({
        travelMs: latency(),
        replyMs: latency(),
        signal,
        serve: (): boolean => {
          if (isDown("opening failed")) throw unavailable(`tell of ${shardId}`);
          return stream.shard(shardId) !== undefined;
        },
      }),
    captureLatest: (shardId, signal) =>
      process.call({
        travelMs: latency(),
        replyMs: latency(),
        signal,
        serve: (): StartPoint => {
          if (isDown("opening failed")) throw unavailable(`find the tip of ${shardId}`);
          const last = shardOf(shardId).records.at(-1);
          return last === undefined ? { kind: "oldest" } : { kind: "after", position: last.position };
        },
      }),
    openReader: (shardId, start, signal) =>
      process.call({
        travelMs: latency(),
        replyMs: 0,
        signal,
        serve: () => {
          if (isDown("opening failed")) throw unavailable(`open ${shardId}`);
          return new SimReader(options, time, shardOf(shardId), start);
        },
      }),
    stillServes: (shardId, position, signal) =>
      process.call({
        travelMs: latency(),
        replyMs: latency(),
        signal,
        serve: (): boolean => {
          if (isDown("opening failed")) throw unavailable(`tell of ${shardId}`);
          const shard = shardOf(shardId);
          trimExpired(shard, options.retentionMs, time.now);
          return indexAtOrAfter(shard, position) >= shard.trimmedAt.length;
        },
      }),
    close: () => Promise.resolve(),
  };
}

class SimReader implements ShardReader {
  readonly #options: SourceOptions;
  readonly #time: VirtualTime;
  readonly #shard: SimShard;
  readonly #id = nextReaderId++;
  readonly #start: StartPoint;
  #next: number;
  /** The wanted start is a certain record: were it trimmed, there would be a gap. */
  #isPlaced: boolean;
  #isReading = false;
  #isClosed = false;
  #notBeforeLocalMs = Number.NEGATIVE_INFINITY;

  constructor(options: SourceOptions, time: VirtualTime, shard: SimShard, start: StartPoint) {
    this.#options = options;
    this.#time = time;
    this.#shard = shard;
    this.#start = start;
    this.#next = startIndex(shard, start);
    this.#isPlaced = start.kind === "after";
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    const { process, faults } = this.#options;
    this.#checkLaws();
    this.#isReading = true;
    const { random } = process;
    let latencyMs = 0.5 + 19.5 * random.next();
    if (faults.roll("iterator expired", random)) latencyMs += random.between(5, 100);
    if (faults.roll("read slow", random)) latencyMs += random.between(100, 3_000);
    const isTimedOut = faults.roll("read timed out", random);
    if (isTimedOut) latencyMs += random.between(1_000, 5_000);
    try {
      return await process.call({
        travelMs: latencyMs,
        replyMs: 0,
        signal,
        serve: () => this.#serve(recordsMax, bytesMax, isTimedOut),
        delivered: (read) => this.#delivered(read),
      });
    } finally {
      this.#isReading = false;
    }
  }

  close(): Promise<void> {
    const { process } = this.#options;
    if (!this.#isClosed && process.state !== "dead") {
      this.#options.record({ kind: "readerClosed", at: this.#time.now, process, readerId: this.#id });
    }
    this.#isClosed = true;
    return Promise.resolve();
  }

  #checkLaws(): void {
    if (this.#isReading) this.#options.breach(`two reads of ${this.#shard.shardId} at once by one reader`);
    if (this.#isClosed) this.#options.breach(`read of ${this.#shard.shardId} after its reader was closed`);
    if (this.#options.process.localMs() < this.#notBeforeLocalMs - 0.01) {
      this.#options.breach(`read of ${this.#shard.shardId} before the source's quota allowed it`);
    }
  }

  #serve(recordsMax: number, bytesMax: number, isTimedOut: boolean): ShardRead {
    const { process, faults } = this.#options;
    const { random } = process;
    const shard = this.#shard;
    if (isTimedOut || faults.isOut("source") || faults.roll("read failed", random)) {
      throw unavailable(`read ${shard.shardId}`);
    }
    if (faults.roll("read throttled", random)) {
      throw new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", `Reads of ${shard.shardId} exceed its quota.`);
    }
    trimExpired(shard, this.#options.retentionMs, this.#time.now);
    // A timestamp in the future stands behind records that have come since.
    if (!this.#isPlaced) this.#next = Math.max(this.#next, startIndex(shard, this.#start));
    const trimmed = this.#isPlaced && this.#next < shard.trimmedAt.length;
    const from = Math.max(this.#next, shard.trimmedAt.length);
    const to = faults.roll("read empty", random) ? from : this.#end(from, recordsMax, bytesMax);
    const hasReadAll = to === shard.records.length;
    // Some sources tell the end with the last records, others only with a read of its own.
    const endOfShard = shard.closedAt !== undefined && hasReadAll && (to === from || random.chance(0.5));
    return {
      records: shard.records.slice(from, to),
      endOfShard,
      lagMs: this.#options.tellsLag ? this.#lagMs(to) : undefined,
      readAgainAfterMs: this.#options.readIntervalMs,
      trimmed,
      answeredMs: EPOCH_MS + this.#time.now,
    };
  }

  #end(from: number, recordsMax: number, bytesMax: number): number {
    const { records } = this.#shard;
    let room = Math.max(1, recordsMax);
    if (this.#options.faults.roll("read truncated", this.#options.process.random)) {
      room = Math.max(1, Math.floor(room * this.#options.process.random.next() * 0.2));
    }
    let bytes = 0;
    let to = from;
    while (to < records.length && to - from < room) {
      bytes += records[to]?.bytes ?? 0;
      if (bytes > bytesMax && to > from) break;
      to++;
    }
    return to;
  }

  #lagMs(to: number): number {
    const behind = this.#shard.records[to];
    return behind === undefined ? 0 : Math.max(1, EPOCH_MS + this.#time.now - behind.arrivedMs);
  }

  /** Only what reached the caller moves the reader: a read that was aborted loses nothing. */
  #delivered(read: ShardRead): void {
    const { process, record } = this.#options;
    this.#notBeforeLocalMs = process.localMs() + read.readAgainAfterMs;
    const from = Math.max(this.#next, this.#shard.trimmedAt.length);
    const first = read.records[0];
    if (first === undefined) {
      if (read.trimmed) this.#next = from;
      return;
    }
    const start = "index" in first ? Number(first.index) : from;
    this.#next = start + read.records.length;
    this.#isPlaced = true;
    record({
      kind: "readReturned",
      at: this.#time.now,
      process,
      readerId: this.#id,
      shard: this.#shard,
      from: start,
      to: this.#next,
    });
  }
}

function trimExpired(shard: SimShard, retentionMs: number | undefined, now: number): void {
  if (retentionMs === undefined) return;
  for (;;) {
    const oldest = shard.records[shard.trimmedAt.length];
    if (oldest === undefined || oldest.arrivedMs + retentionMs > EPOCH_MS + now) return;
    shard.trimmedAt.push(now);
  }
}

function toShard(shard: SimShard): Shard {
  return {
    shardId: shard.shardId,
    parentShardIds: shard.parents.map((parent) => parent.shardId),
    closed: shard.closedAt !== undefined,
  };
}

function unavailable(what: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", `The simulated source did not ${what}.`);
}
