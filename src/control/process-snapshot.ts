import type { MappingExplanation, MappingStatus } from "../engine/engine.ts";
import type { CallFigures } from "../model/call-figures.ts";
import type { FunctionErrors } from "../model/function-error.ts";
import type { LoadTestProgress } from "../model/load-test.ts";
import type { Reason } from "../model/reason.ts";
import type { EnvironmentFigures } from "../ports/environment-watch.ts";
import type { CounterName } from "../ports/telemetry.ts";

/** What a process says of itself and of all that it runs, at one moment. Times are epoch milliseconds. */
export interface ProcessSnapshot {
  readonly form: 1;
  readonly processId: string;
  /** The name of its beat, by which others see whether it lives: another one after it was cut off. */
  readonly beatsAs: string;
  readonly startedMs: number;
  readonly atMs: number;
  /** Its last word: it ended in order. */
  readonly isEnded: boolean;
  /** Worst first. */
  readonly mappings: readonly MappingSnapshot[];
  /** What it runs functions in; absent: nothing. */
  readonly functions?: readonly EnvironmentFigures[];
  /** It has something that is not brought to an end: records, messages, calls. Absent: it does not say. */
  readonly holdsWork?: boolean;
  /** Functions that are called there now; absent: none is. */
  readonly calls?: readonly CallFigures[];
  /** Functions that had asynchronous events there since it began; absent: none had. */
  readonly events?: readonly EventFigures[];
  /** Load tests that tell it how they go; absent: none does. */
  readonly loadTests?: readonly LoadTestProgress[];
  /** More than a snapshot holds. */
  readonly mappingsLeftOut: number;
}

export interface MappingSnapshot {
  readonly uuid: string;
  readonly name: string;
  /** What it reads: an ARN, or the name that its connector gives it. */
  readonly source: string;
  /** As its mapping names it, with its version or alias. */
  readonly functionName: string;
  readonly state: MappingStatus["state"];
  readonly lastProcessingResult: string;
  readonly problem?: string;
  readonly oldestAgeMs: number;
  readonly caughtUp: boolean;
  /** Since its process began. */
  readonly counters: Readonly<Record<CounterName, number>>;
  readonly invocations: number;
  /** With the worst shards and groups alone; absent: it does not run there. */
  readonly explanation?: MappingExplanation;
  readonly shards: number;
  readonly shardsLeftOut: number;
  /** Those that hold work or have a reason that is none of nothing's, worst first. */
  readonly parts: readonly SeenPart[];
  /** How its function failed there last, five at most; with texts: who may not see them gets it `withoutTexts`. */
  readonly errors: FunctionErrors;
  readonly partsLeftOut: number;
}

/** A part of a mapping in one process, and why it is where it is. */
export interface SeenPart {
  /** `shard-1`, `shard-1 lane 0`, `queue`, the name of the mapping: what people and alerts name it by. */
  readonly part: string;
  readonly holdsWork: boolean;
  /** Since when nothing of it was brought to an end, as far as that was seen. */
  readonly sinceMs: number;
  readonly reasons: readonly Reason[];
}

/** What became of the asynchronous events of one function in one process, since it began. */
export interface EventFigures {
  readonly fn: string;
  readonly received: number;
  readonly givenUp: number;
}
