import type { Attempt, Checkpointed } from "../history.ts";
import { settledPlaces } from "../settled-places.ts";
import type { SimProcess } from "../world/process.ts";
import type { SimShard } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * After stop is called no attempt starts; the leases that a process knows of are released and the last checkpoint
 * covers all that the process was told is done by the drain deadline. (That nothing fires or calls after stop has
 * resolved, and that it resolves in time, the world watches itself.)
 */
export const shutdown: Checker = {
  id: "I15",
  title: "shutdown",
  check(trial) {
    const { mapping, history, report } = trial;
    for (const { id, process, startedAt } of mapping.attempts) {
      if (process.stopCalledAt !== undefined && startedAt > process.stopCalledAt) {
        report(startedAt, `${process.owner} starts attempt ${id} after it was stopped`);
      }
    }
    const stopped = new Map(history.processes.filter(hasStopped).map((process) => [process.owner, process]));
    for (const { lease, owner } of history.leasesLeft) {
      const process = stopped.get(owner);
      if (process === undefined || !lease.startsWith(mapping.mapping.uuid)) continue;
      // An acquire or a release whose answer was lost leaves a lease that only time takes away.
      const isKnown = process.leases.has(lease) || history.scenario.flavour !== "swarm";
      if (isKnown) report(history.endedAt, `${owner} stopped and kept the lease of ${lease}`);
    }
    checkLastCheckpoints(trial);
  },
};

function hasStopped(process: SimProcess): boolean {
  return process.stopResolvedAt !== undefined;
}

/** Where no store fails, what a stopped process was told is in the last checkpoint of the shard at the end. */
function checkLastCheckpoints({ mapping, history, report }: Trial): void {
  if (history.scenario.flavour === "swarm") return;
  const last = new Map<SimShard, Checkpointed>();
  for (const event of mapping.events) if (event.kind === "checkpointed") last.set(event.shard, event);
  for (const attempt of mapping.attempts) {
    const record = unsettled(attempt, last.get(attempt.shard));
    if (record === undefined) continue;
    report(history.endedAt, `the last checkpoint of ${attempt.shard.shardId} does not cover ${record}`);
    return;
  }
}

function unsettled(attempt: Attempt, last: Checkpointed | undefined): string | undefined {
  const { process, toldAt, toldProcessed } = attempt;
  if (process.stopResolvedAt === undefined || toldAt === undefined) return undefined;
  if (process.drainDeadline < toldAt || toldProcessed.length === 0) return undefined;
  const places = last === undefined ? undefined : settledPlaces(attempt.shard, last.checkpoint);
  return toldProcessed.find((record) => places === undefined || !places.has(record.index))?.position;
}
