import { MillraceError } from "../../../src/model/errors.ts";
import type { Position, Shard, StartPoint } from "../../../src/model/record.ts";
import type { StreamDescription, StreamEvents, StreamSource } from "../../../src/ports/stream-source.ts";
import type { HistoryEvent } from "../history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { FaultDesk } from "./fault-desk.ts";
import { comparePositions, endOf, indexAtOrAfter, logIdOf, sharedPart } from "./log.ts";
import type { SimProcess } from "./process.ts";
import { SimReader, shardOf, trimExpired, unavailable } from "./shard-reader.ts";
import type { SimShard, SimStream } from "./stream.ts";

export interface SourceOptions {
  readonly stream: SimStream;
  readonly process: SimProcess;
  readonly time: VirtualTime;
  readonly faults: FaultDesk;
  readonly events: StreamEvents;
  /** The source's read quota: time from one read of a shard to the next. */
  readonly readIntervalMs: number;
  readonly tellsLag: boolean;
  /** Like a Kafka topic (`MappingScenario.isTopic`). */
  readonly isTopic?: boolean | undefined;
  /** Tells which log a shard is (`logId`): its stream may be made anew, its shards may lose their ends. */
  readonly tellsLogs?: boolean | undefined;
  /** How a try to read a shard, or to begin to, has ended for the process. */
  noteRead?(shardId: string, how: "worked" | "failed"): void;
  record(event: HistoryEvent): void;
  breach(message: string): void;
}

export const SIM_STREAM_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/simulated";

/** One process's connector to a stream. Its laws are those of the port; its troubles are those of the scenario. */
export function createSimSource(options: SourceOptions): StreamSource {
  const { stream, process, faults, time, tellsLogs = false } = options;
  const description: StreamDescription = {
    kind: "simulated",
    eventSourceArn: SIM_STREAM_ARN,
    batchInfoName: "KinesisBatchInfo",
    arrivalPrecision: "milliseconds",
    oversizedRecord: options.isTopic === true ? "givenUp" : "retried",
    batchingWindowFrom: options.isTopic === true ? "firstRecord" : "lastInvocation",
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
          checkPresence(stream);
          const shards = stream.current
            .map((shard) => toShard(shard, tellsLogs))
            .sort(() => process.random.next() - 0.5);
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
          checkPresence(stream);
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
          const position = endOf(shardOf(stream, shardId));
          return position === undefined ? { kind: "oldest" } : { kind: "after", position };
        },
      }),
    openReader: (shardId, start, signal, knownLogId) =>
      noted(
        options,
        shardId,
        process.call({
          travelMs: latency(),
          replyMs: 0,
          signal,
          serve: () => {
            if (isDown("opening failed")) throw unavailable(`open ${shardId}`);
            return new SimReader(
              options,
              shardOf(stream, shardId),
              start,
              tellsLogs ? knownLogId : undefined,
            );
          },
        }),
      ),
    stillServes: (shardId, position, signal, logId) =>
      process.call({
        travelMs: latency(),
        replyMs: latency(),
        signal,
        serve: (): boolean => {
          if (isDown("opening failed")) throw unavailable(`tell of ${shardId}`);
          checkPresence(stream);
          if (logId !== undefined && !holds(stream.shard(shardId), logId, position)) return false;
          const shard = shardOf(stream, shardId);
          trimExpired(shard, stream.retentionMs, time.now);
          return indexAtOrAfter(shard, position) >= shard.trimmedAt.length;
        },
      }),
    close: () => Promise.resolve(),
  };
}

/** What another log holds is not served, whatever stands at its position now. */
function holds(shard: SimShard | undefined, logId: string, position: Position): boolean {
  const shared = shard && sharedPart(shard, logId);
  return shared !== undefined && (shared.to === undefined || comparePositions(position, shared.to) <= 0);
}

function checkPresence(stream: SimStream): void {
  if (stream.isAway)
    throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "The simulated stream does not exist.");
}

function toShard(shard: SimShard, tellsLogs: boolean): Shard {
  return {
    shardId: shard.shardId,
    // plant: the-source-hides-the-parents-of-its-shards
    parentShardIds: shard.parents.map((parent) => parent.shardId),
    closed: shard.closedAt !== undefined,
    ...(tellsLogs ? { logId: logIdOf(shard) } : {}),
  };
}

/** Notes a failure at once; that it worked the reads say. */
function noted<T>({ noteRead }: SourceOptions, shardId: string, call: Promise<T>): Promise<T> {
  call.catch(() => noteRead?.(shardId, "failed"));
  return call;
}
