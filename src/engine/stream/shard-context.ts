import type { Caller } from "../../model/caller.ts";
import type { FailureCondition } from "../../model/failure-record.ts";
import type { FailureCause } from "../../model/function-error.ts";
import type { StreamMapping } from "../../model/mapping.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Invoker } from "../../ports/invoker.ts";
import type { Random } from "../../ports/random.ts";
import type { StreamSource } from "../../ports/stream-source.ts";
import type { LogFields, Telemetry } from "../../ports/telemetry.ts";
import type { FailureDelivery } from "../invoke/failure-delivery.ts";
import type { EngineSettings } from "../settings.ts";
import type { Tracer } from "../trace/tracer.ts";
import type { BatchParking } from "./batch-parking.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import type { Expiry } from "./expiry.ts";

/**
 * `leaseless`: the lease has run out by our own clock, and a renewal may come. `undurable`: the store renews, and does
 * not take our checkpoints. `stop`: nothing starts any more.
 */
export type StartPermission = "start" | "leaseless" | "undurable" | "stop";

/** What a batch needs of the source that its records came from. */
export type BatchSource = Pick<StreamSource, "description" | "events" | "comparePositions" | "stillServes">;

/** What lanes and batches use of their shard's worker. */
export interface ShardContext {
  readonly mapping: StreamMapping;
  readonly shardId: string;
  readonly source: BatchSource;
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** `undefined`: nothing is traced. */
  readonly tracer: Tracer | undefined;
  readonly invoker: Invoker;
  /** This shard, as the function's door knows it. */
  readonly caller: Caller;
  readonly delivery: FailureDelivery;
  readonly expiry: Expiry;
  /** Aborts when nothing new may start: ends waits. */
  readonly stopSignal: AbortSignal;
  /** Aborts when running calls are given up. */
  readonly callSignal: AbortSignal;
  startPermission(): StartPermission;
  /** The lease is lost or the worker closed: whatever comes back now settles nothing. */
  isClosed(): boolean;
  settle(records: readonly BufferedRecord[]): void;
  /** What is given up stays where it is parked, with its cause. Absent: it goes to the failure destination. */
  readonly park?: (
    records: readonly BufferedRecord[],
    condition: FailureCondition,
    cause: FailureCause | undefined,
  ) => void;
  /** Keys whose records fail to the end stand aside. Absent: their records are given up. */
  readonly parking?: BatchParking | undefined;
  /** The request that these records are handed over in. Absent: a new one each time. */
  readonly requestIdOf?: (records: readonly BufferedRecord[]) => string;
  /** All records of the batch have it. */
  readonly routingKey?: string;
  /** `KeySplit.lastPlaceOf` the side that the batch is of. */
  readonly routingPlace?: number;
  /** The state of the tumbling window changed without a record being settled. */
  windowChanged(): void;
  /** How an attempt went: `undefined`, or in a word what went wrong, never content of records or responses. */
  report(problem: string | undefined, where: LogFields): void;
}
