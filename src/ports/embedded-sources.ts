import type { Place } from "../model/place.ts";

/**
 * Streams, or queues, that a connector keeps itself in a place on this machine. Who wants to put something in needs no
 * server: the command line, the API and the producers' doors all go through this.
 *
 * Laws:
 * - `nameOf` and `arnOf` are pure, and `nameOf(arnOf(name))` is `name`.
 * - What is answered as stored outlives a kill of the process and a loss of power.
 * - What is stored of one call is stored in its order, and behind what earlier calls that were answered have stored.
 * - No call holds the event loop while another process has the place locked.
 */
export interface EmbeddedSources<Keeper> {
  /** The entry of `endpoints` that names a place. */
  readonly endpointName: string;
  /** Where nobody names one; relative to the working directory. */
  readonly defaultPlace: string;
  /** `undefined`: the ARN is of something else. */
  nameOf(eventSourceArn: string): string | undefined;
  arnOf(name: string, place: Place): string;
  /** @throws ERR_MILLRACE_SOURCE_NOT_FOUND when there is nothing at the place and it may not be made. */
  open(at: string, mayCreate: boolean): Promise<Keeper>;
}

/** What both keepers do. Every call may throw ERR_MILLRACE_SOURCE_UNAVAILABLE. */
interface Keeper<Source, NewSource, Item> {
  names(): Promise<readonly string[]>;
  has(name: string): Promise<boolean>;
  /** `undefined`: there is none of this name. */
  find(name: string): Promise<Source | undefined>;
  /** `false`: there is one of this name already. @throws ERR_MILLRACE_CONFIG when a value is out of range. */
  create(source: NewSource): Promise<boolean>;
  /**
   * One outcome an item, in order. What is not valid is refused alone.
   * @throws ERR_MILLRACE_SOURCE_NOT_FOUND when there is no such source; nothing is stored then.
   */
  put(name: string, items: readonly Item[]): Promise<readonly PutOutcome[]>;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface StreamKeeper extends Keeper<EmbeddedStream, NewEmbeddedStream, NewRecord> {
  /** Looks and changes nothing. @throws ERR_MILLRACE_SOURCE_NOT_FOUND */
  peek(name: string, wanted: RecordsWanted): Promise<readonly KeptRecord[]>;
}

export interface QueueKeeper extends Keeper<EmbeddedQueue, NewEmbeddedQueue, NewQueueMessage> {
  /** The oldest messages, held ones too. Looks and counts as no receive. @throws ERR_MILLRACE_SOURCE_NOT_FOUND */
  peek(name: string, messagesMax: number): Promise<readonly KeptMessage[]>;
  /** How many messages there are: all are counted. @throws ERR_MILLRACE_SOURCE_NOT_FOUND */
  depth(name: string): Promise<EmbeddedDepth>;
  /** Takes all messages away, held ones too, and says how many. @throws ERR_MILLRACE_SOURCE_NOT_FOUND */
  purge(name: string): Promise<number>;
}

export type PutOutcome =
  | {
      readonly kind: "stored";
      /** Streams only. */
      readonly shardId?: string;
      /** Streams, and queues with order. */
      readonly sequenceNumber?: string;
      /** Queues only. */
      readonly messageId?: string;
    }
  /** The item is not valid: it was not stored, and will not be as it stands. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Not stored now: it may be tried again. */
  | { readonly kind: "failed" }
  /** Nobody knows whether it is stored. */
  | { readonly kind: "unknown" };

export interface NewEmbeddedStream {
  readonly name: string;
  readonly shards: number;
  /** Left out: for ever. */
  readonly retentionMs?: number;
}

export interface EmbeddedStream {
  readonly name: string;
  readonly retentionMs: number | undefined;
  /** Epoch milliseconds; `undefined`: it was made before anybody noted it. */
  readonly createdMs: number | undefined;
  readonly shards: readonly EmbeddedShard[];
}

export interface EmbeddedShard {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  readonly closed: boolean;
  /** A closed shard holds nothing behind it. `undefined`: it is open. */
  readonly endSequenceNumber: string | undefined;
  /** Decimal, both included. */
  readonly hashKeyRange: { readonly startingHashKey: string; readonly endingHashKey: string };
}

export interface NewRecord {
  /** Records of one key stay in order. */
  readonly key: string;
  readonly data: Uint8Array;
  /** A decimal number that chooses the shard instead of the key. */
  readonly hashKey?: string;
}

export interface RecordsWanted {
  readonly recordsMax: number;
  /** Left out: all shards. */
  readonly shardId?: string;
  /** In the order of their arrival either way. */
  readonly which: "oldest" | "newest";
}

export interface KeptRecord {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly key: string;
  readonly arrivalMs: number;
  /** The beginning of it, where it is large. */
  readonly data: Uint8Array;
  /** All of it. */
  readonly bytes: number;
}

export interface NewEmbeddedQueue {
  /** A queue with order ends in `.fifo`. */
  readonly name: string;
  /** How long a received message is hidden. */
  readonly holdMs?: number;
  /** How long a message is hidden at first. */
  readonly delayMs?: number;
  /** Left out: for ever. */
  readonly retentionMs?: number;
  /** Where messages go that were received so often: a queue of the same place. */
  readonly redrive?: { readonly deadLetterQueue: string; readonly maxReceiveCount: number };
  /** A message without a deduplication id has the SHA-256 of its body as one. Queues with order only. */
  readonly contentBasedDeduplication?: boolean;
}

export interface EmbeddedQueue {
  readonly name: string;
  readonly isFifo: boolean;
  readonly holdMs: number;
  readonly delayMs: number;
  readonly retentionMs: number | undefined;
  readonly redrive: { readonly deadLetterQueue: string; readonly maxReceiveCount: number } | undefined;
  readonly contentBasedDeduplication: boolean;
  /** Epoch milliseconds; `undefined`: it was made before anybody noted it. */
  readonly createdMs: number | undefined;
}

export interface EmbeddedDepth {
  readonly visible: number;
  /** With a receiver now. */
  readonly held: number;
  /** Not to be received yet. */
  readonly delayed: number;
}

export interface NewQueueMessage {
  readonly body: string;
  /** Queues with order only, and always there. */
  readonly groupId?: string;
  readonly deduplicationId?: string;
  readonly delayMs?: number;
  readonly attributes?: Readonly<Record<string, NewMessageAttribute>>;
  /** The function sees it as `AWSTraceHeader`. */
  readonly traceHeader?: string;
}

export interface NewMessageAttribute {
  /** `String`, `Number` or `Binary`, with or without `.LABEL`. */
  readonly dataType: string;
  readonly stringValue?: string;
  readonly binaryValue?: Uint8Array;
}

export interface KeptMessage {
  readonly messageId: string;
  readonly body: string;
  readonly groupId: string | undefined;
  readonly receiveCount: number;
  /** Epoch milliseconds. */
  readonly sentMs: number;
  readonly deadLetterSource: string | undefined;
}
