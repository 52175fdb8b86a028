import { isOwed } from "../history.ts";
import type { Ledger } from "../ledger.ts";

import type { SimRecord, SimShard } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * No record of a child shard is handed to the function before every record of all its parents has ended or is parked;
 * a shard that is found later begins at its oldest record; and no shard is left out.
 */
export const lineage: Checker = {
  id: "I12",
  title: "shard lineage",
  check(trial) {
    const { mapping, history, report } = trial;
    const known = new Set<string>();
    const endOf = new Map<SimShard, number>();
    for (const event of mapping.events) {
      if (event.kind === "registered") {
        known.add(event.shard.shardId);
        if (event.how === "add" && event.checkpoint.resume.kind !== "oldest") {
          report(
            event.at,
            `${event.shard.shardId} was found later and begins ${event.checkpoint.resume.kind}`,
          );
        }
      } else if (event.kind === "attemptStarted") {
        for (const parent of event.attempt.shard.parents) {
          const ended = endOf.get(parent) ?? endOfShard(trial, parent);
          endOf.set(parent, ended);
          if (ended <= event.at) continue;
          report(event.at, `attempt ${event.attempt.id} on a child before ${parent.shardId} has ended`);
        }
      }
    }
    if (history.quiescentAt === undefined) return;
    for (const { shardId } of mapping.stream.current) {
      if (!known.has(shardId)) report(history.quiescentAt, `${shardId} was never taken up`);
    }
  },
};

function settledAt({ id }: SimRecord, { endedAt, securedAt }: Ledger): number {
  return Math.min(endedAt[id] ?? 0, securedAt[id] ?? 0);
}

/** Time at which a shard, and all before it, had come to the end: its own, or with its stream. */
function endOfShard(trial: Trial, shard: SimShard): number {
  let end = shard.closedAt ?? shard.goneAt ?? Number.POSITIVE_INFINITY;
  for (const record of shard.records) {
    if (isOwed(trial.mapping, record)) end = Math.max(end, settledAt(record, trial.ledger));
  }
  return end;
}
