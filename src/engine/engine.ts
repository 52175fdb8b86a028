import type { InvocableFunction } from "../invocation/invocable-function.ts";
import type { InvokerBook } from "../invocation/invoker-book.ts";
import type { Pipe } from "../invocation/piped-invoker.ts";
import type { QueueMapping, StreamMapping } from "../model/mapping.ts";
import type { ReasonCode } from "../model/reason.ts";
import type { Clock } from "../ports/clock.ts";
import type { Destination } from "../ports/destination.ts";
import type { FailureNotes } from "../ports/failure-notes.ts";
import type { ParkedKeyStore } from "../ports/parked-keys.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { QueueSource } from "../ports/queue-source.ts";
import type { Random } from "../ports/random.ts";
import type { StreamSource } from "../ports/stream-source.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Tracing } from "../ports/tracing.ts";
import type { MappingExplanation } from "./explanation.ts";
import type { PartReasons } from "./part-reasons.ts";
import type { EngineSettings } from "./settings.ts";

export type { InvocableFunction } from "../invocation/invocable-function.ts";
export type * from "./explanation.ts";
export { type PartReasons, reasonsOf, STANDSTILL_MS } from "./reasons.ts";

/** The engine's public face: what the composition root and the simulation give to `createEngine`. */
export interface EngineOptions {
  /** Unique among all processes that share the store, also over restarts: a new life is a new owner. */
  readonly owner: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly store: ProgressStore;
  readonly settings: EngineSettings;
  /** Those of the process, where others beside the engine call functions; absent: the engine has its own. */
  readonly invokers?: InvokerBook;
  /** Where keys are parked, of mappings that say so; absent: none ever are. */
  readonly parkedKeys?: ParkedKeyStore;
  /** Told of what failure destinations have accepted. */
  readonly failures?: FailureNotes;
}

/** One mapping with the adapters that it runs on. The engine closes none of them. */
export type MappingDeployment = StreamDeployment | QueueDeployment;

export interface QueueDeployment {
  readonly kind: "queue";
  readonly mapping: QueueMapping;
  readonly source: QueueSource;
  readonly fn: InvocableFunction;
  /** What stands before the function; absent: it gets the source's events. */
  readonly pipe?: Pipe;
}

export interface StreamDeployment {
  readonly kind: "stream";
  readonly mapping: StreamMapping;
  readonly source: StreamSource;
  readonly fn: InvocableFunction;
  /** What stands before the function; absent: it gets the source's events. */
  readonly pipe?: Pipe;
  readonly destination: Destination | undefined;
  /** The destination's one spelling. */
  readonly destinationUri?: string | undefined;
}

export interface Engine {
  /** Begins to process a mapping. Returns at once; progress is seen in `status` and telemetry. */
  start(deployment: MappingDeployment): void;
  /** Stops one mapping as `stop` does. */
  stopMapping(uuid: string, drainMs: number, how?: StopOptions): Promise<StopReport>;
  /** A stop of the mapping is near: it asks for nothing from now on that would have it wait for long. */
  expectStop(uuid: string): void;
  /**
   * Resolves when nothing of the mapping, as it ran before its last stop, goes through its source any more: then that
   * may be closed. At once, unless receives were kept for the next start.
   */
  receivesBack(uuid: string): Promise<void>;
  /**
   * Starts nothing new, lets running invocations end for at most `drainMs`, writes last checkpoints and releases the
   * leases. What is still running then is left; its records are not settled and come again.
   */
  stop(drainMs: number): Promise<StopReport>;
  status(): readonly MappingStatus[];
  /**
   * What the engine has taken and not given back. All of it is zero once everything has stopped, whatever threw before.
   */
  taken(): Taken;
  /** Why the parts of a mapping that this process works on are where they are; `undefined`: it does not run here. */
  explain(uuid: string): MappingExplanation | undefined;
  /** Parts of the mapping that are handed over again, and what they wait for; absent: nothing ever is. */
  redriven?(uuid: string): readonly PartReasons[];
}

export interface StopReport {
  /** Records of streams that were settled and that no store has taken: they are repeated by whoever comes next. */
  readonly comesAgain: number;
}

export interface Taken {
  /** Bytes of the process's budget. */
  readonly budgetBytes: number;
  /** Places of the functions' concurrency. */
  readonly slots: number;
}

export interface StopOptions {
  /** The same mapping starts again at once with another configuration: receives under way are kept for it. */
  readonly isFollowed?: boolean;
  /** Nothing starts behind this, however long the drain lasts. */
  readonly startsMs?: number | undefined;
}

export interface MappingStatus {
  readonly uuid: string;
  readonly name: string;
  /** Enabled: the starting position of every shard found first is captured and polling has begun. */
  readonly state: "Creating" | "Enabled" | "Disabling" | "Disabled" | "Failed";
  /** AWS's texts: `No records processed`, `OK`, `PROBLEM: Function call failed` (streams §1.4). */
  readonly lastProcessingResult: string;
  /**
   * Age of the oldest record that this process knows of and has not settled, milliseconds: read or unread of a stream,
   * in hand of a queue. 0: there is none.
   */
  readonly oldestAgeMs: number;
  /** Those that this process works on. */
  readonly shards: readonly ShardStatus[];
  /**
   * All shards that are not ended are read by this process and caught up: there is nothing left to do for now. Where a
   * broker divides the shards, of those that it gave to this process.
   */
  readonly caughtUp: boolean;
  /**
   * Why it does not work yet, or does not any more: it is tried again. `Creating` then: the fault may pass by itself;
   * `Failed`: somebody has to change something, and what was changed is seen within seconds.
   */
  readonly problem?: string;
  /** What that is about; absent: `cannotStart`. */
  readonly problemReason?: StartReason;
  /** The longest of each reason, among its parts in this process; absent: nothing stands still. */
  readonly standstills?: readonly Standstill[];
  /** Only its manifest changes it; absent for mappings that the API makes. */
  readonly isFromManifest?: true;
}

/** Why a mapping does not run: its function is not there, or cannot be opened, or something else is in the way. */
export type StartReason = Extract<ReasonCode, "cannotStart" | "noSuchFunction" | "notReady">;

/** A part of a mapping holds work and has brought nothing to an end for a while. */
export interface Standstill {
  readonly reason: ReasonCode;
  readonly seconds: number;
}

export interface ShardStatus {
  readonly shardId: string;
  readonly bufferedRecords: number;
  readonly bufferedBytes: number;
  readonly inFlight: number;
  /** As of the mapping. It grows while a record is retried. */
  readonly oldestAgeMs: number;
  /** Milliseconds behind the tip at the last read, as the source says; `undefined` when it does not. */
  readonly lagMs: number | undefined;
  /** Records that are not processed, as of the last read; `undefined` when the source does not number its records. */
  readonly offsetLag: number | undefined;
  /** Everything read so far is settled and checkpointed, and the last read found nothing new. */
  readonly caughtUp: boolean;
  readonly ended: boolean;
  /** For people: why it began where it did though nothing was stored for it (`ShardProgress.begun`). */
  readonly begun?: string;
}
