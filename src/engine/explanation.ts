import type { FunctionExplanation } from "../invocation/function-explanation.ts";
import type { Fault } from "../model/errors.ts";
import type { StartPoint } from "../model/record.ts";

/**
 * Why a mapping is where it is, as this process sees it: made when somebody asks, for people. Times are epoch
 * milliseconds.
 */
export type MappingExplanation = StreamExplanation | QueueExplanation;

export interface StreamExplanation {
  readonly kind: "stream";
  readonly function: FunctionExplanation;
  /** Those that this process works on. */
  readonly shards: readonly ShardExplanation[];
}

export interface ShardExplanation {
  readonly shardId: string;
  readonly epoch: number;
  /** As `ShardStatus` has them. */
  readonly bufferedRecords: number;
  readonly bufferedBytes: number;
  /** Since this process has the shard. */
  readonly settledRecords: number;
  /** Tries to store a checkpoint since one was stored; `undefined`: the last one was. */
  readonly checkpointFailures: number | undefined;
  readonly lagMs: number | undefined;
  readonly offsetLag: number | undefined;
  readonly caughtUp: boolean;
  readonly ended: boolean;
  /** `false`: the lease has run out by our own clock, and nothing starts until it is renewed. */
  readonly isLeaseLive: boolean;
  /** All before this is settled here; the durable checkpoint follows within its interval. */
  readonly settled: StartPoint;
  /** Read here, and matched by no filter pattern or settled before a restart. */
  readonly passedOverRecords: number;
  /** `full`: nothing is read until something is settled. */
  readonly reading: "reading" | "full" | "failing" | "atEnd" | "stopped";
  readonly readingNow: ReadingNow;
  readonly readFailures: FailureCount | undefined;
  /** Those that have something to do. */
  readonly lanes: readonly LaneExplanation[];
}

/** What the reader of a shard does: `asking`: it waits for the source; `pausing`: until the next read or try. */
export interface ReadingNow {
  readonly doing: "asking" | "pausing" | "waitingForRoom" | "waitingForParents" | "nothing";
  readonly sinceMs: number;
  /** When a pause ends; else as `sinceMs`. */
  readonly untilMs: number;
}

export interface FailureCount {
  /** Without a success in between. */
  readonly count: number;
  readonly lastProblem: string;
  readonly fault: Fault;
}

export interface LaneExplanation {
  /** From 0. */
  readonly lane: number;
  /** Behind the batch that is under way. */
  readonly waitingRecords: number;
  /** When its last batch ended, or its oldest waiting record came if that was later. */
  readonly idleSinceMs: number;
  /** No batch is under way and the next one is still being filled: when it goes at the latest. */
  readonly fillingUntilMs: number | undefined;
  readonly batch: BatchExplanation | undefined;
}

/** A batch between its first attempt and its end. */
export interface BatchExplanation {
  readonly doing: BatchDoing;
  readonly sinceMs: number;
  readonly requestId: string;
  /** Records of the part that is tried now. */
  readonly records: number;
  /** Parts of the same batch that come after it. */
  readonly laterRecords: number;
  /** Position of a record, id of a message. */
  readonly firstRecord: string | undefined;
  readonly lastRecord: string | undefined;
  /** Calls for the batch with all its parts, throttled ones too. */
  readonly attempts: number;
  /** Failures of the part that is tried now, which count as retries, and throttles in a row, which do not. */
  readonly failures: number;
  readonly throttles: number;
  /** What went wrong last, in a word: never content of records or responses. */
  readonly lastProblem: string | undefined;
  /** The entry of that in the error book, where the function ran and failed. */
  readonly lastErrorId?: string | undefined;
  readonly nextAttemptMs: number | undefined;
  /** Message groups, ten at most; of streams none. */
  readonly groups: readonly string[];
}

/**
 * `queued`: as many invocations run as may; `pausing`: until the next attempt; `leaseless`: its lease is not renewed;
 * `undurable`: the store does not take checkpoints; `discarding`: its failure destination has not accepted it yet;
 * `settling`: it is done, and its queue is told.
 */
export type BatchDoing =
  | "starting"
  | "queued"
  | "invoking"
  | "pausing"
  | "leaseless"
  | "undurable"
  | "discarding"
  | "settling";

export interface QueueExplanation {
  readonly kind: "queue";
  readonly function: FunctionExplanation;
  /** Batches at once that may run now; it follows load and errors. */
  readonly batchesMax: number;
  readonly runningBatches: number;
  readonly waitingMessages: number;
  /** This process's, those that no filter pattern matches too. */
  readonly settledMessages: number;
  /** Calls beside batches that give back or delete messages. */
  readonly settling: number;
  readonly isStopping: boolean;
  /** When the next batch goes at the latest; `undefined`: no message that waits could go now. */
  readonly fillingUntilMs: number | undefined;
  readonly receiving: {
    readonly receives: number;
    /** When the last receive ended. */
    readonly idleSinceMs: number;
    readonly failures: FailureCount | undefined;
    readonly nextMs: number | undefined;
  };
  /** Longest under way first, a hundred at most. */
  readonly batches: readonly BatchExplanation[];
  /** Messages in our hands by their group, a hundred groups at most, those with most first; none without groups. */
  readonly waitingGroups: readonly { readonly group: string; readonly messages: number }[];
  /** Messages that failed here and are still hidden; the last hundred. */
  readonly failedMessages: readonly FailedMessage[];
}

export interface FailedMessage {
  readonly messageId: string;
  readonly group: string | undefined;
  /** Deliveries so far. */
  readonly receiveCount: number;
  readonly problem: string;
  /** The entry of that in the error book, where the function ran and failed. */
  readonly errorId?: string | undefined;
  /** When it comes again. */
  readonly againMs: number;
}

export type { FunctionExplanation };
