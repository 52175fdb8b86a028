import { type ErrorCode, type Fault, MillraceError } from "../../src/model/errors.ts";
import type { Shard } from "../../src/model/record.ts";

/**
 * What the connector asks of Kinesis, about one stream. Behind it stands the AWS SDK, whose pages we read ourselves;
 * tests give the answers that emulators cannot. Calls are made once, without retries, and reject with `KinesisFault`
 * or, when `signal` aborts, with `ERR_MILLRACE_ABORTED`.
 */
export interface KinesisApi {
  describeStream(signal: AbortSignal): Promise<StreamSummary>;
  /** All pages. */
  listShards(signal: AbortSignal): Promise<readonly KinesisShardEntry[]>;
  shardIterator(shardId: string, place: ShardPlace, signal: AbortSignal): Promise<string>;
  records(iterator: string, recordsMax: number, signal: AbortSignal): Promise<RecordsPage>;
  /** The subscription lives until `end` aborts, the service ends it (after five minutes), or it fails. */
  subscribe(shardId: string, place: ShardPlace, end: AbortSignal): Promise<AsyncIterable<SubscriptionEvent>>;
  /** Not later than the service's own clock, and behind it by a second or two; epoch milliseconds. */
  serviceTimeMs(): number;
  close(): void;
}

export interface StreamSummary {
  /** When the stream was made, epoch milliseconds: a stream made anew under its name is another one. */
  readonly createdMs: number | undefined;
}

export interface KinesisShardEntry extends Shard {
  readonly hashKeys: HashKeyRange;
}

/** Both ends included; 128 bits. */
export interface HashKeyRange {
  readonly first: bigint;
  readonly last: bigint;
}

export type ShardPlace =
  | { readonly kind: "oldest" }
  | { readonly kind: "timestamp"; readonly epochMs: number }
  | { readonly kind: "at" | "after"; readonly sequenceNumber: string };

export interface ApiRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly arrivalMs: number | undefined;
}

export interface RecordsPage {
  readonly records: readonly ApiRecord[];
  /** `undefined`: the shard is closed and read to its end. */
  readonly nextIterator: string | undefined;
  readonly lagMs: number | undefined;
  /** The service's date of this answer, if it gave one. */
  readonly answeredMs?: number | undefined;
  /** At the end of a shard. */
  readonly childShards: readonly KinesisShardEntry[];
}

export interface SubscriptionEvent {
  readonly records: readonly ApiRecord[];
  /** Where the next subscription goes on; `undefined`: the shard is closed and read to its end. */
  readonly continuation: string | undefined;
  readonly lagMs: number | undefined;
  /** The service's time when it sent this, if it tells. */
  readonly answeredMs?: number | undefined;
  readonly childShards: readonly KinesisShardEntry[];
}

export type FaultKind =
  | "throttled"
  | "notFound"
  | "expiredIterator"
  | "invalidArgument"
  | "resourceInUse"
  | "unavailable";

const CODES: Readonly<Record<FaultKind, ErrorCode>> = {
  throttled: "ERR_MILLRACE_SOURCE_THROTTLED",
  notFound: "ERR_MILLRACE_SOURCE_NOT_FOUND",
  expiredIterator: "ERR_MILLRACE_SOURCE_UNAVAILABLE",
  invalidArgument: "ERR_MILLRACE_SOURCE_UNAVAILABLE",
  resourceInUse: "ERR_MILLRACE_SOURCE_UNAVAILABLE",
  unavailable: "ERR_MILLRACE_SOURCE_UNAVAILABLE",
};

/** A failed call, told apart as far as the connector acts on it. */
export class KinesisFault extends MillraceError {
  readonly kind: FaultKind;

  constructor(
    kind: FaultKind,
    message: string,
    options?: { readonly cause?: unknown; readonly fault?: Fault },
  ) {
    super(CODES[kind], message, options);
    this.kind = kind;
  }
}

export function isFault(error: unknown, ...kinds: readonly FaultKind[]): error is KinesisFault {
  return error instanceof KinesisFault && kinds.includes(error.kind);
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortedError();
}

export function abortedError(): MillraceError {
  return new MillraceError("ERR_MILLRACE_ABORTED", "The caller stopped reading from a Kinesis stream.");
}
