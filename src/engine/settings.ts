import { PAYLOAD_BYTES_MAX, WINDOW_STATE_BYTES_MAX } from "../model/limits.ts";

/**
 * Settings of the engine that AWS does not have. Each has a default that suits one process with some hundred shards.
 */
export interface EngineSettings {
  /**
   * Records of one shard between its low-water mark and its newest read record, at most, without those that a filter
   * drops; with a batching window at least a batch for each lane.
   */
  readonly shardWindowRecords: number;
  /** Bytes that one mapping may have read and not settled; each shard may in any case hold one read. */
  readonly mappingBudgetBytes: number;
  /** The same for the process over all mappings. */
  readonly processBudgetBytes: number;
  /** Bound of one read. */
  readonly readRecords: number;
  readonly readBytes: number;
  /** Shortest time from one checkpoint of a shard to the next. 0: as fast as the store takes them. */
  readonly checkpointIntervalMs: number;
  /** How often shards are listed anew, besides at every end of a shard. */
  readonly discoveryIntervalMs: number;
  /** A lease whose counter stands still for so long may be taken over. */
  readonly leaseDurationMs: number;
  /** How often a lease is renewed and the other owners' leases are looked at. */
  readonly leaseRenewalMs: number;
  /** How long running invocations may take to end when a shard is handed over. */
  readonly handoverDrainMs: number;
  /** First retry is at most this far away; every further doubles (decision 0026: full jitter). */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /**
   * How often the source is asked whether it still serves a record that is retried for long: only its word ends that.
   */
  readonly expiryCheckMs: number;
  /** Said once that something is gone for good, a source is asked again so much later, and believed then. */
  readonly secondAnswerMs: number;
  /**
   * An idle shard closes its tumbling window so long after the window's end (streams §6.1: AWS takes up to two
   * minutes).
   */
  readonly windowIdleCloseMs: number;
  /** Largest invocation payload. AWS: 6 MB, envelope and metadata included (streams §3.2). */
  readonly payloadBytesMax: number;
  /** Larger states end their tumbling window early (streams §6.1). */
  readonly windowStateBytesMax: number;
  /**
   * Reads of one mapping that run at once, where its source does not share them: one that hangs holds up no other
   * mapping.
   */
  readonly concurrentReads: number;
}

export const DEFAULT_SETTINGS: EngineSettings = {
  shardWindowRecords: 10_000,
  mappingBudgetBytes: 64 * 1024 * 1024,
  processBudgetBytes: 256 * 1024 * 1024,
  readRecords: 10_000,
  readBytes: 4 * 1024 * 1024,
  checkpointIntervalMs: 1_000,
  discoveryIntervalMs: 10_000,
  leaseDurationMs: 10_000,
  leaseRenewalMs: 1_000,
  handoverDrainMs: 30_000,
  backoffBaseMs: 200,
  backoffCapMs: 60_000,
  expiryCheckMs: 60_000,
  secondAnswerMs: 5_000,
  windowIdleCloseMs: 60_000,
  payloadBytesMax: PAYLOAD_BYTES_MAX,
  windowStateBytesMax: WINDOW_STATE_BYTES_MAX,
  concurrentReads: 64,
};
