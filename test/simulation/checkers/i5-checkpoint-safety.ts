import type { Checkpointed } from "../history.ts";
import type { Ledger } from "../ledger.ts";
import { settledPlaces } from "../settled-places.ts";

import type { SimRecord, SimShard } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * Whatever a stored checkpoint calls settled had ended when the checkpoint was sent: processed, accepted by the
 * destination, parked, or given up within the policy.
 */
export const checkpointSafety: Checker = {
  id: "I5",
  title: "checkpoint safety",
  check(trial) {
    const verified = new Map<SimShard, number>();
    for (const event of trial.mapping.events) {
      if (event.kind !== "checkpointed") continue;
      const { shard, checkpoint } = event;
      const { reached, ranges } = settledPlaces(shard, checkpoint);
      checkRange(trial, event, verified.get(shard) ?? 0, reached);
      verified.set(shard, Math.max(verified.get(shard) ?? 0, reached));
      for (const range of ranges) checkRange(trial, event, range[0], range[1]);
      if (checkpoint.ended) checkEnd(trial, event, reached);
    }
  },
};

function checkRange({ ledger, report }: Trial, event: Checkpointed, from: number, to: number): void {
  for (let index = from; index < to; index++) {
    const record = event.shard.records[index];
    if (record === undefined || isSettled(record, event.requestedAt, ledger)) continue;
    report(event.at, `a checkpoint of ${event.shard.shardId} covers ${record.position}, which has not ended`);
    return;
  }
}

function isSettled({ id }: SimRecord, at: number, { endedAt, securedAt }: Ledger): boolean {
  return (endedAt[id] ?? 0) <= at || (securedAt[id] ?? 0) <= at;
}

function checkEnd({ report }: Trial, { at, shard, requestedAt }: Checkpointed, reached: number): void {
  // What the source has no more has come to its end.
  if (shard.goneAt !== undefined && shard.goneAt <= requestedAt) return;
  const kept = Math.max(reached, shard.trimmedAt.length);
  if (shard.closedAt === undefined || shard.closedAt > requestedAt) {
    report(at, `${shard.shardId} was called ended while it was open`);
  } else if (kept < shard.records.length) {
    report(at, `${shard.shardId} was called ended ${shard.records.length - kept} records before its end`);
  }
}
