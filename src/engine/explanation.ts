import type { FunctionExplanation } from "../invocation/function-explanation.ts";
import type { Fault } from "../model/errors.ts";
import type { ReasonCode } from "../model/reason.ts";
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
  /** Shards that are not ended and nobody works on as far as this process sees, the first of them. */
  readonly others?: readonly OtherShard[];
  /** Shards that the source listed last; `undefined`: none were listed yet. */
  readonly listed?: number | undefined;
  /** What fails of listing shards, or of looking at leases. */
  readonly looking?: LookFailure | undefined;
  /** Where a broker divides the shards; absent: nobody does. */
  readonly division?: Division | undefined;
  readonly destination?: DestinationStanding | undefined;
}

/** A shard that this process does not work on, though it may be due. */
export interface OtherShard {
  readonly shardId: string;
  readonly why:
    | { readonly kind: "parents"; readonly parents: readonly string[] }
    /** Nothing was heard of its owner for a while: its lease is free then. */
    | { readonly kind: "lease"; readonly owner: string; readonly untilMs: number }
    | { readonly kind: "handover"; readonly to: string }
    | { readonly kind: "unowned" };
  /** As this process has seen it. */
  readonly sinceMs: number;
}

export interface LookFailure extends FailureCount {
  /** The store does not answer, and not the source. */
  readonly isOfStore: boolean;
}

/** `dividing`: members of the group came or went, and nothing new is begun until it is divided anew. */
export interface Division {
  readonly kind: "dividing" | "divided";
  readonly sinceMs: number;
}

export interface DestinationStanding {
  /** Something that was given up waits for it. */
  readonly isRefusing: boolean;
  /** Records that it can never take, and that were dropped, within the last ten minutes. */
  readonly rejectedRecords: number;
  readonly lastProblem: string | undefined;
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
  /** Age of the oldest record that is not settled; 0: there is none. */
  readonly oldestAgeMs?: number;
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
  /** Whose bound reading waits for, where `reading` is `full`. */
  readonly fullBy?: FullBy | undefined;
  /** When the source last said that records were trimmed before they were read. */
  readonly trimmedMs?: number | undefined;
  /** Records of reads in a row that were all settled before a restart; 0: the last read had others, or none. */
  readonly skippingRecords?: number;
  readonly filteredOut?: FilteredOut | undefined;
  /** Who asked for it, once it is being given back. */
  readonly handingTo?: string | undefined;
  /** Those that have something to do. */
  readonly lanes: readonly LaneExplanation[];
}

/** `shard`: its own window is full; `mapping`: other shards have the budget; `process`: mostly another mapping has. */
export type FullBy =
  | { readonly kind: "shard" }
  | { readonly kind: "mapping" }
  | { readonly kind: "process"; readonly mapping: string };

/** What was read since the filter last let something pass. */
export interface FilteredOut {
  readonly records: number;
  readonly sinceMs: number;
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
  /** From 0. While the function's alias has weights: those of its other versions behind those of the first. */
  readonly lane: number;
  /** Behind the batch that is under way. */
  readonly waitingRecords: number;
  /** When its last batch ended, or its oldest waiting record came if that was later. */
  readonly idleSinceMs: number;
  /** No batch is under way and the next one is still being filled: when it goes at the latest. */
  readonly fillingUntilMs: number | undefined;
  readonly batch: BatchExplanation | undefined;
  /** A batch of another version that is to end before records of this one start: the weights have changed. */
  readonly waitsFor?: BatchExplanation | undefined;
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
  /** What the last attempt of the part that is tried now came to; `undefined`: it has not failed. */
  readonly failure?: AttemptFailure | undefined;
  /** Content: the key of all of its records, where they have one. */
  readonly key?: string | undefined;
  readonly nextAttemptMs: number | undefined;
  /** Message groups, ten at most; of streams none. */
  readonly groups: readonly string[];
}

/** How an attempt failed: reasons by their codes. */
export type AttemptFailure = Extract<
  ReasonCode,
  | "functionFails"
  | "functionTimesOut"
  | "functionThrottled"
  | "functionUnavailable"
  | "zeroConcurrency"
  | "noSuchFunction"
  | "notReady"
  | "atConcurrency"
  | "accountConcurrency"
  | "payloadTooLarge"
  | "malformedResponse"
  | "windowStateMissing"
  | "partialWithoutProgress"
>;

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
  | "parking"
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
  /** Places of a maximum that all processes share; absent: there is none. */
  readonly share?: { readonly places: number; readonly most: number } | undefined;
  readonly filteredOut?: FilteredOut | undefined;
  /** As the queue says of itself: how often it gives a message, and where that goes then. */
  readonly deadLetter?: { readonly queue: string; readonly receivesMax: number } | undefined;
  /** What fails of looking at the share, or of renewing its leases. */
  readonly sharing?: LookFailure | undefined;
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
  /** Absent: the mapping does not tell tenants apart. */
  readonly tenants?: TenantsExplanation | undefined;
}

/** Whose messages a mapping with fair lanes has in hand. */
export interface TenantsExplanation {
  /** Tenants with messages that wait. */
  readonly active: number;
  /** Those with most messages first, ten at most. Names are contents of messages. */
  readonly most: readonly TenantExplanation[];
}

export interface TenantExplanation {
  readonly tenant: string;
  readonly weight: number;
  readonly waiting: number;
  readonly running: number;
  /** What one of its messages is expected to take of a place. */
  readonly messageMs: number;
}

export interface FailedMessage {
  readonly messageId: string;
  readonly group: string | undefined;
  /** Deliveries so far. */
  readonly receiveCount: number;
  readonly problem: string;
  /** The entry of that in the error book, where the function ran and failed. */
  readonly errorId?: string | undefined;
  readonly failure?: AttemptFailure | undefined;
  /** When it comes again. */
  readonly againMs: number;
}

export type { FunctionExplanation };
