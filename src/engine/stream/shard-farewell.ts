import type { ShardEnvironment } from "./shard-environment.ts";
import type { ShardSettlement } from "./shard-settlement.ts";

export interface EndingShard {
  readonly environment: ShardEnvironment;
  readonly shardId: string;
  readonly settlement: ShardSettlement;
}

/** Invocations that still run are left to themselves: nobody hears what becomes of them. */
export function tellGivenUp(
  { environment, shardId, settlement }: EndingShard,
  invocations: number,
  isDrained: boolean,
): void {
  const { telemetry, mapping } = environment;
  const { mark, readAhead } = settlement;
  if (invocations === 0) return;
  telemetry.mark(isDrained ? "drain deadline passed" : "lease lost in flight");
  const message = isDrained
    ? "batches were given up at the end of the drain: their records come again"
    : "batches were given up with the lease of their shard: their records come again";
  const from = mark.resume.kind === "after" ? mark.resume.position : mark.resume.kind;
  const fields = { mapping: mapping.name, shardId, batches: invocations, behind: from };
  telemetry.log("warn", message, { ...fields, records: readAhead.records });
}

/** Answers how many records are settled and not durable: they come again. */
export function tellUndurable({ environment, shardId, settlement }: EndingShard): number {
  const { checkpoints, undurableRecords: records } = settlement;
  if (checkpoints.isDurable || checkpoints.isClosed) return 0;
  const { telemetry, mapping } = environment;
  telemetry.mark("stopped without a last checkpoint");
  const message =
    "the store has not taken the last checkpoint of a shard: what was settled since the one before comes again";
  telemetry.log("error", message, { mapping: mapping.name, shardId, records });
  return Math.max(1, records);
}
