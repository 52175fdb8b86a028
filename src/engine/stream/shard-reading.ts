import type { ShardExplanation } from "../explanation.ts";
import type { ShardLife } from "./shard-life.ts";
import type { ShardSettlement } from "./shard-settlement.ts";

/** What the reading of a shard does, for people. */
export function readingState(
  life: ShardLife,
  settlement: ShardSettlement,
  isFailing: boolean,
): ShardExplanation["reading"] {
  if (!life.isRunning) return "stopped";
  if (settlement.isAtEnd) return "atEnd";
  if (isFailing) return "failing";
  return settlement.readAhead.isFull ? "full" : "reading";
}
