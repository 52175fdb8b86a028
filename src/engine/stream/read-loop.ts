import { type BackoffLimits, limitsAfter } from "../../lib/back-off.ts";
import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import { sleep } from "../../lib/sleep.ts";
import type { Slots } from "../../lib/slots.ts";
import { describeError, endpointOf, hasErrorCode } from "../../model/errors.ts";
import type { StartPoint } from "../../model/record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ShardRead, ShardReader, StreamSource } from "../../ports/stream-source.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { ReadNotes } from "./read-notes.ts";
import type { ShardInquiry } from "./shard-inquiry.ts";
import type { SourceOutages } from "./source-outages.ts";

export interface ReadLoopOptions {
  readonly mappingName: string;
  readonly shardId: string;
  readonly source: StreamSource;
  readonly inquiry: ShardInquiry;
  readonly start: StartPoint;
  /** The log that `start` belongs to; `undefined`: not known. */
  readonly logId: string | undefined;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly limits: BackoffLimits;
  /** Bounds the concurrent reads of the mapping, where its source does not share them. */
  readonly reads: Slots;
  /** All readers of the mapping share them. */
  readonly outages: SourceOutages;
  readonly lines: RepeatedLines;
  readonly stopSignal: AbortSignal;
  readonly notes: ReadNotes;
  /** Resolves when there is room for a read, with its bounds; `undefined`: stopped. */
  room(): Promise<ReadRoom | undefined>;
  /** Takes over what was read. The next read waits for a promise. */
  onRead(read: ShardRead): Promise<void> | undefined;
  /** The read that there was room for has come and is taken over, or has failed. */
  onRoomUsed(): void;
  /** `silentMs`: how long nothing has been heard of the source, as far as it was asked. */
  onFailure(error: unknown, silentMs: number): void;
}

/** One taker for all shards: they read in the order in which they ask. */
const READS = "reads";

interface ReadRoom {
  readonly recordsMax: number;
  readonly bytesMax: number;
}

const ALL_TRIMMED: ShardRead = {
  records: [],
  endOfShard: true,
  lagMs: 0,
  readAgainAfterMs: 0,
  trimmed: true,
};

/**
 * Reads a shard from its start to its end, never more than there is room for. Ends when stopped or at the shard's end.
 */
export async function runReadLoop(options: ReadLoopOptions): Promise<void> {
  const { source, shardId, clock, limits, outages, stopSignal, notes } = options;
  let { start, logId } = options;
  let reader: ShardReader | undefined;
  /** The place where the last try failed. */
  let failedAt: string | undefined;
  /** How long reads have heard nothing of the source, and failed. */
  let silentMs = 0;
  try {
    while (!stopSignal.aborted) {
      notes.does("waitingForRoom");
      const room = await options.room();
      if (room === undefined) return;
      let read: ShardRead;
      notes.does("asking");
      const askedMs = clock.monotonic();
      try {
        // plant: a-shard-made-anew-is-resumed-where-the-old-one-was
        reader ??= await source.openReader(shardId, start, stopSignal, logId);
        read = await readInTurn(options, reader, room);
        if (failedAt !== undefined && read.nothingHeard !== true) {
          reportReturn(options, failedAt, outages.worked(failedAt));
          failedAt = undefined;
        }
        if (read.nothingHeard !== true) options.inquiry.seen(shardId);
      } catch (error) {
        if (stopSignal.aborted) return;
        failedAt = endpointOf(error) ?? `the shard ${shardId}`;
        const isNew = outages.failed(failedAt, limitsAfter(error, options.limits));
        reportFailure(options, error, isNew);
        // plant: a-reader-ends-at-its-first-failure-and-notes-nothing
        silentMs += clock.monotonic() - askedMs;
        options.onRoomUsed();
        options.onFailure(error, silentMs);
        if (await isShardGone(options, error)) {
          await options.onRead(ALL_TRIMMED);
          return;
        }
        // A reader that failed in a way that the port does not know may have lost its place.
        if (!isPassing(error)) {
          await reader?.close();
          reader = undefined;
        }
        notes.does("pausing", limits.backoffCapMs);
        // plant: a-failed-read-ends-the-reading
        await outages.pause(failedAt, stopSignal);
        continue;
      }
      if (stopSignal.aborted) return;
      start = placeAfter(read, start);
      logId = read.logId ?? logId;
      silentMs =
        read.nothingHeard === true ? silentMs + clock.monotonic() - askedMs + read.readAgainAfterMs : 0;
      notes.does("waitingForRoom");
      const taking = options.onRead(read);
      options.onRoomUsed();
      await taking;
      if (read.endOfShard) return;
      // plant: reads-do-not-wait-for-the-sources-quota
      if (read.readAgainAfterMs <= 0) continue;
      notes.does("pausing", read.readAgainAfterMs);
      await sleep(clock, read.readAgainAfterMs, stopSignal);
    }
  } finally {
    notes.does("nothing");
    await reader?.close();
  }
}

async function readInTurn(
  { source, reads, stopSignal }: ReadLoopOptions,
  reader: ShardReader,
  { recordsMax, bytesMax }: ReadRoom,
): Promise<ShardRead> {
  if (source.description.sharesReads === true) return await reader.read(recordsMax, bytesMax, stopSignal);
  await reads.take(READS)?.granted;
  try {
    return await reader.read(recordsMax, bytesMax, stopSignal);
  } finally {
    reads.give(READS);
  }
}

function placeAfter({ anew, records, lookedTo }: ShardRead, before: StartPoint): StartPoint {
  if (anew !== undefined) return anew.from;
  const position = lookedTo ?? records.at(-1)?.position;
  return position === undefined ? before : { kind: "after", position };
}

function isPassing(error: unknown): boolean {
  return (
    hasErrorCode(error, "ERR_MILLRACE_SOURCE_THROTTLED") ||
    hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE")
  );
}

/** The source has forgotten the whole shard: its records were trimmed, and its children must not wait for ever. */
async function isShardGone(options: ReadLoopOptions, error: unknown): Promise<boolean> {
  if (!hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND")) return false;
  try {
    return await options.inquiry.isGone(options.shardId, options.stopSignal);
  } catch {
    return false;
  }
}

/** An endpoint that is away is told once, not by each of its shards. */
function reportFailure(options: ReadLoopOptions, error: unknown, isNew: boolean): void {
  const { telemetry, mappingName, shardId, lines } = options;
  const isThrottle = hasErrorCode(error, "ERR_MILLRACE_SOURCE_THROTTLED");
  telemetry.mark(isThrottle ? "read throttled" : "read failed");
  telemetry.count("source_errors", mappingName, 1);
  const endpoint = endpointOf(error);
  const fields = { mapping: mappingName, shardId, endpoint, error: describeError(error) };
  if (isThrottle) telemetry.log("debug", "a shard could not be read; trying again", fields);
  else if (endpoint === undefined) lines.write("warn", "a shard could not be read; trying again", fields);
  else if (isNew)
    lines.write("warn", "an endpoint of the source is away; its shards wait for it together", fields);
}

function reportReturn(options: ReadLoopOptions, place: string, awayMs: number | undefined): void {
  if (awayMs === undefined) return;
  const fields = { mapping: options.mappingName, place, awayMs: Math.round(awayMs) };
  options.telemetry.log("debug", "what could not be read is read again", fields);
}
