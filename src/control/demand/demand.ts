/**
 * What there is to do for the processes of a store, as far as one sees who runs nothing of it: what waits in sources,
 * what runs, what is parked, and what is due. Only what is known to be nothing is nothing.
 */
export interface Demand {
  /** Those that are to run. */
  readonly mappings: readonly MappingDemand[];
  /** Asynchronous events of a function, handed out or not. */
  readonly events: readonly FunctionCount[];
  /** Events and deliveries of a queue that does not say whose they are. */
  readonly unassigned: number;
  /** What became of events, on the way to destinations. */
  readonly deliveries: number;
  readonly ticks: readonly DueTick[];
  /** Mappings whose parked records are to be handed over again. */
  readonly redrives: readonly { readonly functionName: string }[];
  /** Functions that HTTP requests may be for at any time. */
  readonly routes: readonly string[];
  /** Rows that are written and not carried out. */
  readonly changes: number;
  readonly processes: readonly ProcessDemand[];
  /** What could not be asked, and may be more than was known last. */
  readonly unsure: readonly string[];
}

export interface MappingDemand {
  readonly name: string;
  readonly functionName: string;
  /** As a `SourceBacklog` counts; where it cannot be asked, as it did last, and one at least. */
  readonly elements: number;
  readonly parts: number;
  /** Calls that it may have under way for that, as far as its own settings go. */
  readonly calls: number;
  /** Why its source cannot be asked, for people. */
  readonly problem?: string | undefined;
}

export interface FunctionCount {
  readonly functionName: string;
  readonly count: number;
}

/** The next tick of a schedule, or one that is due and was not enqueued. */
export interface DueTick {
  readonly schedule: string;
  readonly functionNames: readonly string[];
  /** Epoch milliseconds. */
  readonly dueMs: number;
}

/** A process that lives, as its last word has it. */
export interface ProcessDemand {
  readonly processId: string;
  /** It has spoken lately: what it does not say, it does not do. */
  readonly isHeard: boolean;
  readonly holdsWork: boolean;
  /** Calls that run or wait for their turn there, whoever made them. */
  readonly calls: readonly FunctionCount[];
}
