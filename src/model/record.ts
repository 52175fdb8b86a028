/** Opaque place of a record in its shard. Only `StreamSource.comparePositions` may compare two of them. */
export type Position = string;

/** What the engine needs to know of a stream's record; a connector's own record carries more. */
export interface StreamRecord {
  readonly position: Position;
  /** Records of one key stay in order. `undefined`: no key, any lane will do. */
  readonly key: string | undefined;
  /**
   * When the source received the record, epoch milliseconds, as it or the producer gave it; `undefined`: it gave none.
   * Metadata of others: it may be 0, negative or beyond any `Date`. Who counts an age from it asks `knownArrivalMs`.
   */
  readonly arrivalMs: number | undefined;
  /** Bytes that the record holds in memory: what the read-ahead budget counts. */
  readonly bytes: number;
  /** Exact bytes of the record's element in the event's `Records` array, without its separator. */
  readonly encodedBytes: number;
  /**
   * Why no function can have the record, or all of it; ends a sentence that begins with the record. It is given up at
   * once and alone, whatever a filter would say of it: its neighbours go on (invariant I23).
   */
  readonly damage?: string;
}

/** One ordered part of a stream. Parents come first: a child starts when they are at their end and settled. */
export interface Shard {
  readonly shardId: string;
  /** None for an original shard, one after a split or roll-over, two after a merge. */
  readonly parentShardIds: readonly string[];
  /** No record will be added. */
  readonly closed: boolean;
  /** Identity of the log that the shard is (`Checkpoint.logId`), where listings tell it. */
  readonly logId?: string | undefined;
}

/** Where reading of a shard begins. */
export type StartPoint =
  | { readonly kind: "oldest" }
  | { readonly kind: "timestamp"; readonly epochMs: number }
  | { readonly kind: "after"; readonly position: Position };

/** The tumbling-window part of an event (streams §6.1). Times are epoch milliseconds. */
export interface TumblingWindow {
  readonly shardId: string;
  readonly startMs: number;
  readonly endMs: number;
  /** JSON text of the state; `{}` to begin with. */
  readonly stateJson: string;
  readonly isFinalInvokeForWindow: boolean;
  readonly isWindowTerminatedEarly: boolean;
}
