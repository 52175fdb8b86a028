import type { EngineSettings } from "../../src/engine/settings.ts";
import type { QueueMapping, StreamMapping } from "../../src/model/mapping.ts";
import type { Component, FaultRates } from "./world/fault-desk.ts";
import type { FunctionScenario } from "./world/function-plan.ts";

/**
 * All that happens in one run, as plain data: the seed decides only what is left open. So a scenario can be shrunk
 * (fewer faults, fewer records, fewer processes), stored and replayed.
 */
export interface Scenario {
  readonly seed: number;
  readonly flavour: Flavour;
  readonly mappings: readonly MappingScenario[];
  /** Queue mappings, beside the stream mappings or alone. Older scenarios have none. */
  readonly queues?: readonly QueueScenario[];
  readonly settings: EngineSettings;
  /** Processes at the beginning. */
  readonly processes: readonly ProcessScenario[];
  readonly rates: FaultRates;
  readonly faults: readonly FaultEvent[];
  /** Until then things go wrong; from then on nothing does, and everything must be brought to an end. */
  readonly faultsEndMs: number;
  /** Virtual time from the healing until everything has to be settled and checkpointed. */
  readonly healWithinMs: number;
  readonly drainMs: number;
}

/**
 * - `swarm`: a random subset of all faults.
 * - `calm`: no fault at all: nothing may be invoked twice.
 * - `graceful`: processes come and go by stop and hand-over only: nothing may be invoked twice.
 * - `poison`: some records always fail, nothing else does, bisect is on.
 * - `isolation`: one key, shard or mapping fails for ever, nothing else does.
 */
export type Flavour = "swarm" | "calm" | "graceful" | "poison" | "isolation";

export interface MappingScenario {
  readonly mapping: StreamMapping;
  readonly fn: FunctionScenario;
  readonly workload: Workload;
  readonly retentionMs: number | undefined;
  readonly readIntervalMs: number;
  readonly tellsLag: boolean;
  /** Like a Kafka topic: partial responses list what comes again, batching windows open with their first record. */
  readonly isTopic: boolean;
  /**
   * Its source tells which log a shard is: the stream may be made anew, shards may lose their ends. Older scenarios:
   * no.
   */
  readonly tellsLogs?: boolean;
  /** How many records are followed by a position without one. Older scenarios: none. */
  readonly placesShare?: number;
  readonly weights?: readonly WeightChange[];
}

/** What an alias is from then on: so much of its traffic goes to `to`; 0: it went back, 1: it stands for `to` alone. */
export interface WeightChange {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

export interface Workload {
  readonly shards: number;
  readonly keys: number;
  /** 1: all keys alike; higher: few keys get most records. */
  readonly skew: number;
  readonly records: number;
  /** Share that is there when the world begins; the rest arrives evenly until `arrivalsEndMs`. */
  readonly backlogShare: number;
  readonly arrivalsEndMs: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
  /** Records of `largeBytesMin` to `largeBytesMax`. */
  readonly largeShare: number;
  readonly largeBytesMin: number;
  readonly largeBytesMax: number;
  /** Records whose arrival time is absent or absurd. */
  readonly timelessShare?: number;
  /** Records that the filter does not let through. */
  readonly unwantedShare: number;
  /** Of which no event, or no filter document, can be made. Older scenarios have none. */
  readonly unmadeShare?: number;
  /** Ordinals of records that always fail. */
  readonly poison: readonly number[];
  /** What else always fails: everything, the records of shard 0, the records of key 0. */
  readonly poisoned: "nothing" | "everything" | "shard" | "key";
}

export interface QueueScenario {
  readonly mapping: QueueMapping;
  readonly fn: FunctionScenario;
  readonly workload: QueueWorkload;
  readonly isFifo: boolean;
  readonly visibilityMs: number;
  /** The redrive policy's `maxReceiveCount`. */
  readonly receivesMax: number | undefined;
  readonly isGroupHeldByAny: boolean;
  readonly weights?: readonly WeightChange[];
}

/** As of a stream: its keys are the groups, its records the messages. */
export interface QueueWorkload extends Omit<Workload, "shards" | "poisoned"> {
  readonly poisoned: "nothing" | "everything" | "group";
}

export interface ProcessScenario {
  readonly startMs: number;
  readonly wallOffsetMs: number;
  readonly rate: number;
}

export type FaultEvent =
  | {
      readonly kind: "crash";
      readonly atMs: number;
      readonly process: number;
      readonly restartAfterMs: number | null;
    }
  /** Dies in the middle of its `call`th call from then on. */
  | {
      readonly kind: "crash at call";
      readonly atMs: number;
      readonly process: number;
      readonly call: number;
      readonly restartAfterMs: number | null;
    }
  | {
      readonly kind: "pause";
      readonly atMs: number;
      readonly process: number;
      readonly durationMs: number;
    }
  | { readonly kind: "clock jump"; readonly atMs: number; readonly process: number; readonly byMs: number }
  | {
      readonly kind: "stop";
      readonly atMs: number;
      readonly process: number;
      readonly restartAfterMs: number | null;
    }
  | { readonly kind: "join"; readonly atMs: number; readonly wallOffsetMs: number; readonly rate: number }
  /** The mapping is updated in all processes: its tumbling windows have another length, or are switched off or on. */
  | {
      readonly kind: "window update";
      readonly atMs: number;
      readonly mapping: number;
      readonly lengthMs: number;
    }
  /** The mapping of a queue is updated in all processes: each begins with it again `gapMs` after it has stopped. */
  | {
      readonly kind: "queue update";
      readonly atMs: number;
      readonly queue: number;
      readonly gapMs: number;
      /** At most what the scenario's mapping has. */
      readonly batchSize: number;
    }
  /** The owner of a queue changes its visibility time-out while it is read. */
  | {
      readonly kind: "queue change";
      readonly atMs: number;
      readonly queue: number;
      readonly visibilityMs: number;
    }
  | { readonly kind: "split"; readonly atMs: number; readonly mapping: number; readonly shard: number }
  | { readonly kind: "merge"; readonly atMs: number; readonly mapping: number; readonly shard: number }
  | {
      readonly kind: "trim";
      readonly atMs: number;
      readonly mapping: number;
      readonly shard: number;
      readonly share: number;
    }
  /**
   * The stream is deleted, and made anew under its name: with so many shards, its positions from 0 on or behind all
   * others.
   */
  | {
      readonly kind: "remake";
      readonly atMs: number;
      readonly mapping: number;
      readonly awayMs: number;
      readonly shards: number;
      readonly isLower: boolean;
    }
  /**
   * A shard loses all records behind this share, and is written on from there. `isAtMark`: of those that a checkpoint
   * calls settled ahead of its mark, where it does.
   */
  | {
      readonly kind: "lose end";
      readonly isAtMark?: boolean;
      readonly atMs: number;
      readonly mapping: number;
      readonly shard: number;
      readonly share: number;
    }
  /** `null`: the source keeps all from now on. */
  | {
      readonly kind: "retention";
      readonly atMs: number;
      readonly mapping: number;
      readonly retentionMs: number | null;
    }
  | {
      readonly kind: "outage";
      readonly atMs: number;
      readonly component: Component;
      readonly durationMs: number;
    };
