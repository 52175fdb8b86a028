/** A change of an item, as the API gives it. */
export interface ChangeRecord {
  readonly eventID?: string | undefined;
  readonly eventName?: string | undefined;
  readonly userIdentity?:
    | { readonly PrincipalId?: string | undefined; readonly Type?: string | undefined }
    | undefined;
  readonly dynamodb?: Change | undefined;
}

export interface Change {
  readonly ApproximateCreationDateTime?: Date | undefined;
  readonly Keys?: ItemText | undefined;
  readonly NewImage?: ItemText | undefined;
  readonly OldImage?: ItemText | undefined;
  readonly SequenceNumber?: string | undefined;
  readonly SizeBytes?: number | undefined;
  readonly StreamViewType?: string | undefined;
}

/** `{"name":{"S":"…"},…}`: attributes as DynamoDB wrote them, which is how Lambda's events carry them (streams §6). */
export type ItemText = string;

/**
 * The calls to one stream that this connector makes, and nothing else: a leaner client can take the SDK's place here.
 *
 * What an iterator or a position meets in its normal life (expiry, trimming) is a result. Everything else rejects:
 * `ERR_MILLRACE_SOURCE_NOT_FOUND`, `…_THROTTLED`, `…_UNAVAILABLE`, or `ERR_MILLRACE_ABORTED` once the signal fires.
 */
export interface StreamApi {
  /** One page of DescribeStream: at most 100 shards, in no order. */
  describe(afterShardId: string | undefined, signal: AbortSignal): Promise<StreamPage>;
  openIterator(shardId: string, from: IteratorStart, signal: AbortSignal): Promise<IteratorAnswer>;
  /** `recordsMax`: 1…1000. */
  getRecords(
    shardId: string,
    iterator: string,
    recordsMax: number,
    signal: AbortSignal,
  ): Promise<RecordsAnswer>;
  /**
   * Epoch milliseconds by the service's clock, as its answers told, and never ahead of it: the host's own may be hours
   * off, and what is compared with the records' times must not depend on it.
   */
  now(): number;
  /** Idempotent. */
  close(): void;
}

export interface StreamPage {
  /** ENABLING, ENABLED, DISABLING or DISABLED. */
  readonly status: string | undefined;
  /** The attribute that is the table's partition key. */
  readonly partitionKeyName: string | undefined;
  readonly shards: readonly ShardEntry[];
  /** Where the next page begins; `undefined`: this was the last. */
  readonly lastShardId: string | undefined;
}

export interface ShardEntry {
  readonly shardId: string;
  readonly parentShardId: string | undefined;
  readonly startingSequenceNumber: string | undefined;
  /** Set once the shard is closed. */
  readonly endingSequenceNumber: string | undefined;
}

export type IteratorStart =
  | { readonly kind: "oldest" }
  | { readonly kind: "latest" }
  | { readonly kind: "at" | "after"; readonly sequenceNumber: string };

export type IteratorAnswer =
  | { readonly kind: "iterator"; readonly iterator: string }
  /** The sequence number is older than the oldest record. */
  | { readonly kind: "trimmed" };

export type RecordsAnswer =
  | {
      readonly kind: "records";
      readonly records: readonly ChangeRecord[];
      /** `undefined`: the shard is closed and this was its last page. */
      readonly next: string | undefined;
      /** The service's date of this answer, epoch milliseconds, if it gave one. */
      readonly answeredMs?: number | undefined;
    }
  /** Iterators live for 15 minutes (streams §7). */
  | { readonly kind: "expired" }
  | { readonly kind: "trimmed" };
