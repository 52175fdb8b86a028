import type { ParkingBounds } from "./parked-key.ts";
import type { TenantSettings } from "./tenant-settings.ts";

/** Where a mapping begins to read the shards that it finds first; shards found later begin at their oldest record. */
export type StartingPosition =
  | { readonly kind: "TRIM_HORIZON" }
  | { readonly kind: "LATEST" }
  | { readonly kind: "AT_TIMESTAMP"; readonly epochMs: number };

/** What stands between a mapping's filter and its function, as EventBridge Pipes have it (queues §3). */
export interface MappingPipe {
  /** The function that enriches the records. */
  readonly enrichment:
    | {
        readonly functionName: string;
        readonly functionArn: string;
        readonly inputTemplate: string | undefined;
      }
    | undefined;
  /** What each record is made into before the function. */
  readonly inputTemplate: string | undefined;
  /** The mapping's own. */
  readonly arn: string;
}

/**
 * Settings that stream mappings have: AWS's parameters of EventSourceMapping, validated, with their defaults filled in.
 */
export interface StreamMapping {
  /** Identity of the mapping: leases, checkpoints and failure records carry it. */
  readonly uuid: string;
  /** `metadata.name` of its manifest; the `mapping` label of metrics. */
  readonly name: string;
  readonly functionName: string;
  /** As given, qualifier included; what failure records show. */
  readonly functionArn: string;
  /** `undefined`: a self-managed source, which has none. */
  readonly eventSourceArn: string | undefined;
  readonly enabled: boolean;
  readonly startingPosition: StartingPosition;
  /** 1…10,000 */
  readonly batchSize: number;
  /** 0…300,000; 0 invokes as soon as there is a record. */
  readonly batchingWindowMs: number;
  /** Lanes per shard, 1…10. */
  readonly parallelizationFactor: number;
  /** 0…10,000; `undefined`: until the record expires. */
  readonly retryAttemptsMax: number | undefined;
  /** 60,000…604,800,000; `undefined`: until the source expires the record. */
  readonly recordAgeMsMax: number | undefined;
  readonly bisectBatchOnFunctionError: boolean;
  readonly reportBatchItemFailures: boolean;
  /** 0…900,000; 0: no tumbling windows. */
  readonly tumblingWindowMs: number;
  /** JSON texts of the filter patterns; a record passes that matches one of them. None: all pass. */
  readonly filterPatterns: readonly string[];
  /** `destinationConfig.onFailure.destination`; `undefined`: a discarded record is dropped and counted. */
  readonly onFailureDestination: string | undefined;
  /** Absent: no key is ever parked. */
  readonly parkedKeys?: ParkedKeySettings;
  /** Absent: the function gets the source's events. */
  readonly pipe?: MappingPipe;
}

/** Keys whose records fail to the end stand aside with them. */
export interface ParkedKeySettings {
  readonly bounds: ParkingBounds;
  /** What becomes of a key that there is no room for: its lane waits for it, or it is given up. */
  readonly whenFull: "block" | "destination";
}

/** Settings of a queue's mapping: AWS's parameters, validated, with their defaults filled in. */
export interface QueueMapping {
  readonly uuid: string;
  readonly name: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly eventSourceArn: string;
  readonly enabled: boolean;
  /** 1…10,000; FIFO: 1…10. */
  readonly batchSize: number;
  /** 0…300,000; 0 on FIFO queues, and above 0 for batches of more than 10. */
  readonly batchingWindowMs: number;
  readonly reportBatchItemFailures: boolean;
  readonly filterPatterns: readonly string[];
  /** `scalingConfig.maximumConcurrency`, 2…1,000: batches at once. `undefined`: AWS's 1,250. */
  readonly concurrencyMax: number | undefined;
  /** `provisionedPollerConfig`: event pollers, each worth ten batches at once. `undefined`: not provisioned. */
  readonly provisionedPollers: { readonly min: number; readonly max: number } | undefined;
  /**
   * FIFO with partial responses: `true` leaves order to the function, as AWS does. `false`: a listed failure also holds
   * back later messages of its group in the batch.
   */
  readonly strictAwsFifo: boolean;
  /** Absent: the function gets the source's events. */
  readonly pipe?: MappingPipe;
  /** Absent: messages go in the order of their arrival. */
  readonly tenant?: TenantSettings;
}
