/**
 * Puts records into an event source, for load tests: the other end of what a connector reads. It sends once; who calls
 * it decides what an error means, since trying again could change the order of a key.
 *
 * Laws: records of one key that one call gives are stored in their order, and behind those of earlier calls; there is
 * one result a record, in order; `send` rejects only after `close`.
 */
export interface RecordSender {
  /** Most records of one call. */
  readonly recordsMax: number;
  /** Most bytes of one call, keys and data together. */
  readonly bytesMax: number;
  /** Calls that may run at once, as long as no key is in two of them. */
  readonly concurrency: number;
  /** One call may hold several records of a key. False where the source does not keep their order. */
  readonly repeatsKeys: boolean;
  send(records: readonly OutgoingRecord[]): Promise<readonly SendOutcome[]>;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface OutgoingRecord {
  /** ASCII, 1 to 64 characters. Key of a record, message group, or item. */
  readonly key: string;
  /** ASCII text. */
  readonly data: string;
}

/** `refused`: surely not stored. `unknown`: the answer was lost, it may be stored or not. */
export type SendOutcome = "accepted" | "refused" | "unknown";

/** What an AWS SDK's error says of what was sent: the service said no, or nobody knows what it did. */
export function outcomeOfFailure(error: unknown): SendOutcome {
  const metadata = error instanceof Error && "$metadata" in error ? error.$metadata : undefined;
  const hasStatus = typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata;
  const status = hasStatus ? Number(metadata.httpStatusCode) : 0;
  // A request that timed out at the service, or at what stands before it, may have been carried out.
  const isRefusal = status >= 400 && status < 500 && status !== REQUEST_TIMEOUT;
  return isRefusal ? "refused" : "unknown";
}

const REQUEST_TIMEOUT = 408;

/** What to make where a source is missing and the connector can make one by itself, as local files. */
export interface NewSource {
  readonly shards: number;
  readonly retentionMs: number;
  readonly visibilityMs: number;
}
