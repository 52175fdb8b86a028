import type { FunctionExplanation, QueueExplanation, ShardExplanation } from "../engine/engine.ts";
import type { FunctionErrors } from "../model/function-error.ts";
import type { StartPoint } from "../model/record.ts";
import type { CounterName } from "../ports/telemetry.ts";
import type { ToldEnvironments } from "./functions/told-environments.ts";
import type { ToldPart, ToldProcess, ToldReason } from "./told-parts.ts";

/** Why a mapping is where it is: what its store and this process know of it. Times are epoch milliseconds. */
export interface ExplainedMapping {
  readonly nowMs: number;
  readonly uuid: string;
  readonly name: string;
  readonly state: string;
  readonly lastProcessingResult: string;
  readonly source: string;
  /** This one: what is told of running work is told of its own. */
  readonly processId: string;
  readonly isRunningHere: boolean;
  readonly hasFilter: boolean;
  /** Since this process began; `undefined`: it does not run here. */
  readonly totals: Readonly<Record<CounterName, number>> | undefined;
  /** `undefined`: it does not run here. */
  readonly function: FunctionExplanation | undefined;
  /** In which its function runs, over all processes; `undefined`: none has started any. */
  readonly environments: ToldEnvironments | undefined;
  /** Shards of streams, by their ids. */
  readonly shards: readonly ExplainedShard[];
  readonly queue: QueueExplanation | undefined;
  /** Why it cannot be started. */
  readonly problem: string | undefined;
  /** Nobody has to look at it. */
  readonly isFine: boolean;
  /** What holds up the mapping as a whole. */
  readonly reasons: readonly ToldReason[];
  /** Parts in all processes that hold work or have a reason to wait, worst first. */
  readonly parts: readonly ToldPart[];
  /** Those that say something of it. */
  readonly processes: readonly ToldProcess[];
  /** How its function failed, in all processes; texts only for who may see them. */
  readonly errors: FunctionErrors;
}

export interface ExplainedShard {
  readonly shardId: string;
  /** `undefined`: nobody has it. */
  readonly owner: string | undefined;
  readonly isOwnerHere: boolean;
  /** Asked for by another process. */
  readonly handoverTo: string | undefined;
  readonly parentShardIds: readonly string[];
  /** Durably settled up to here; `undefined`: the source's own broker keeps it. */
  readonly checkpoint: StartPoint | undefined;
  readonly isEnded: boolean;
  /** `undefined`: not worked on here. */
  readonly here: ShardExplanation | undefined;
}
