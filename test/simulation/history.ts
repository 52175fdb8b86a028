import type { Taken } from "../../src/engine/engine.ts";
import type { Checkpoint } from "../../src/model/checkpoint.ts";
import type { FailureRecord } from "../../src/model/failure-record.ts";
import type { StreamMapping } from "../../src/model/mapping.ts";
import type { OutcomeKind } from "../../src/model/outcome.ts";
import type { StartPoint, TumblingWindow } from "../../src/model/record.ts";
import type { QueueHistory } from "./queue-history.ts";
import type { MappingScenario, Scenario } from "./scenario.ts";
import type { SimProcess } from "./world/process.ts";
import type { SimRecord, SimShard, SimStream } from "./world/stream.ts";

/**
 * What the function, the store, the destination and the source saw, in the order in which it happened; times are world
 * milliseconds. The checkers judge this and nothing else. Of what the engine says of itself only "dropped by policy,
 * counted" is believed, because nobody else sees it.
 */
export interface History {
  readonly scenario: Scenario;
  readonly mappings: readonly MappingHistory[];
  readonly queues: readonly QueueHistory[];
  readonly processes: readonly SimProcess[];
  /** Faults that were really injected, by kind. */
  readonly faults: Map<string, number>;
  /** Rules that the engine broke towards a port, crashes of the engine, endless work: found while it happened. */
  readonly breaches: Breach[];
  healedAt: number;
  /** When everything was settled and checkpointed after the healing; `undefined`: it never was. */
  quiescentAt: number | undefined;
  endedAt: number;
  /** What engines that have stopped had not given back a while later. */
  readonly taken: { readonly owner: string; readonly what: keyof Taken; readonly amount: number }[];
  /** Leases that had an owner when all processes had stopped: `uuid/shard` and the owner. */
  leasesLeft: readonly { readonly lease: string; readonly owner: string }[];
}

export interface MappingHistory {
  readonly ordinal: number;
  readonly mapping: StreamMapping;
  readonly stream: SimStream;
  readonly plan: MappingScenario;
  /** Like a Kafka topic (`MappingScenario.isTopic`). */
  readonly isTopic: boolean;
  readonly events: HistoryEvent[];
  readonly attempts: Attempt[];
  /** Where each shard was first registered to begin, by shard ordinal. */
  readonly startPoints: (StartPoint | undefined)[];
  /** The same as an index in the shard, known when all records are: what comes before is not owed. */
  readonly owedFrom: (number | undefined)[];
  dropsCounted: number;
  expiriesCounted: number;
  /** Shards that were said to be another log. */
  changesTold: number;
  /** Lengths that updates have given to its tumbling windows; 0: switched off. The last one is in force. */
  readonly windowUpdates: number[];
  readonly views: WeightViews;
  /** The version that is called in this instant. */
  called: number | undefined;
}

/** When each process saw which change of the alias, the first with its birth; -1: none yet. */
export type WeightViews = Map<SimProcess, readonly { readonly at: number; readonly index: number }[]>;

export interface Breach {
  readonly at: number;
  readonly invariant: InvariantId;
  readonly message: string;
}

/**
 * Those of docs/invariants.md; `windows`: streams §6.1; `scaling`: queues §2.4; `ports`: the laws that a caller of the
 * ports has to keep; `determinism`: two runs of one scenario differ.
 */
export type InvariantId =
  | "I1"
  | "I2"
  | "I3"
  | "I4"
  | "I5"
  | "I6"
  | "I7"
  | "I8"
  | "I9"
  | "I10"
  | "I11"
  | "I12"
  | "I13"
  | "I14"
  | "I15"
  | "I16"
  | "I18"
  | "I19"
  | "I20"
  | "I21"
  | "I22"
  | "I23"
  | "I26"
  | "I38"
  | "I39"
  | "K4"
  | "K9"
  | "K10"
  | "S1"
  | "S2"
  | "S3"
  | "windows"
  | "scaling"
  | "ports"
  | "determinism";

export type HistoryEvent =
  | AttemptStarted
  | AttemptRan
  | AttemptTold
  | Delivered
  | Dropped
  | Secured
  | Registered
  | Checkpointed
  | LeaseMoved
  | LeaseSought
  | ReadReturned
  | ReaderClosed
  | Trimmed;

interface Happening {
  readonly at: number;
}

/** One call of the function. */
export interface Attempt {
  readonly id: number;
  readonly process: SimProcess;
  readonly shard: SimShard;
  readonly records: readonly SimRecord[];
  readonly requestId: string;
  /** Of the function, where its alias brings new ones in. */
  readonly version: number | undefined;
  readonly payloadBytes: number;
  readonly window: TumblingWindow | undefined;
  readonly startedAt: number;
  /** The lease that the process may believe to hold at the start, and its own time then. */
  readonly epoch: number | undefined;
  readonly confirmedLocalMs: number | undefined;
  readonly startedLocalMs: number;
  /** Invocations of this mapping's function, over all processes, that ran when this one began. */
  readonly concurrentOfProcess: number;
  /** When the function ended, with what it then had done: these records are processed for good. */
  ranAt: number | undefined;
  processed: readonly SimRecord[];
  /** What the process was told, and when: `undefined` when the answer never came. */
  toldAt: number | undefined;
  told: OutcomeKind | undefined;
  /** Records that the answer settles. */
  toldProcessed: readonly SimRecord[];
  /** The answer costs a retry of the batch (streams §5.1). */
  toldCounts: boolean;
  /** What was planned, for the story: `functionError (poison)`. */
  plan: string;
}

export interface AttemptStarted extends Happening {
  readonly kind: "attemptStarted";
  readonly attempt: Attempt;
}
export interface AttemptRan extends Happening {
  readonly kind: "attemptRan";
  readonly attempt: Attempt;
}
export interface AttemptTold extends Happening {
  readonly kind: "attemptTold";
  readonly attempt: Attempt;
}

/** The destination answered a delivery; what it accepted without being able to say so has `told: "lost"`. */
export interface Delivered extends Happening {
  readonly kind: "delivered";
  readonly process: SimProcess;
  readonly record: FailureRecord;
  readonly records: readonly SimRecord[];
  readonly accepted: boolean;
  /** The destination will never accept it. */
  readonly refused: boolean;
}

/** The engine counted records as given up without a destination, or as expired at the source. */
export interface Dropped extends Happening {
  readonly kind: "dropped";
  readonly process: SimProcess;
  readonly counter: "dropped_events" | "expired_events";
  readonly amount: number;
}

/** Records of a key are parked, durably. `isNew`: with them it began. */
export interface Secured extends Happening {
  readonly kind: "secured";
  readonly process: SimProcess;
  readonly key: string;
  readonly records: readonly SimRecord[];
  readonly isNew: boolean;
}

/** A shard's record was created in the store. */
export interface Registered extends Happening {
  readonly kind: "registered";
  readonly process: SimProcess;
  readonly shard: SimShard;
  readonly how: "initialise" | "add";
  readonly checkpoint: Checkpoint;
}

export interface Checkpointed extends Happening {
  readonly kind: "checkpointed";
  readonly process: SimProcess;
  readonly shard: SimShard;
  readonly epoch: number;
  /** When the process sent it: what it knew then. */
  readonly requestedAt: number;
  readonly checkpoint: Checkpoint;
}

export interface LeaseMoved extends Happening {
  readonly kind: "leaseMoved";
  readonly process: SimProcess;
  readonly shard: SimShard;
  readonly move: "acquired" | "renewed" | "released" | "fenced";
  readonly epoch: number;
  /** For an acquired lease: whose it was, and where its checkpoint stood. */
  readonly from: string | undefined;
  readonly checkpoint: Checkpoint | undefined;
  readonly requestedAt: number;
}

/** A process asks for a lease that it has seen: whose it was, and for how long, by its own clock, it has not moved. */
export interface LeaseSought extends Happening {
  readonly kind: "leaseSought";
  readonly process: SimProcess;
  readonly shard: SimShard;
  readonly owner: string | undefined;
  readonly watchedMs: number;
}

export interface ReadReturned extends Happening {
  readonly kind: "readReturned";
  readonly process: SimProcess;
  readonly readerId: number;
  readonly shard: SimShard;
  /** Indexes in the shard: from `from` up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
}

export interface ReaderClosed extends Happening {
  readonly kind: "readerClosed";
  readonly process: SimProcess;
  readonly readerId: number;
}

export interface Trimmed extends Happening {
  readonly kind: "trimmed";
  readonly shard: SimShard;
}

export function createMappingHistory(
  ordinal: number,
  mapping: StreamMapping,
  stream: SimStream,
  plan: MappingScenario,
): MappingHistory {
  return {
    ordinal,
    mapping,
    stream,
    plan,
    isTopic: plan.isTopic,
    events: [],
    attempts: [],
    startPoints: [],
    owedFrom: [],
    dropsCounted: 0,
    expiriesCounted: 0,
    changesTold: 0,
    windowUpdates: [],
    views: new Map(),
    called: undefined,
  };
}

/** A record that the mapping has to bring to an end: behind the starting position and let through by the filter. */
export function isOwed(mapping: MappingHistory, record: SimRecord): boolean {
  const from = mapping.owedFrom[record.shard.ordinal];
  return record.accepted && from !== undefined && record.index >= from;
}

/** No function can have it. What no filter can be shown is only found out where there is a filter. */
export function isUnmade({ mapping }: MappingHistory, { unmade }: SimRecord): boolean {
  if (unmade === "filter document") return mapping.filterPatterns.length > 0;
  return unmade !== undefined;
}
