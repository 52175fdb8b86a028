import { type History, isOwed } from "../history.ts";
import type { SimProcess } from "../world/process.ts";
import type { Checker, Trial } from "./checker.ts";

/** Beyond the lease's time: until a survivor looks, takes and is answered. */
const FAILOVER_MS = 2_000;

/**
 * After the healing everything is settled and checkpointed within the bound, and every open shard has an owner. When a
 * process is killed and another lives on, its shards have a new owner within the lease's time and two seconds.
 */
export const liveness: Checker = {
  id: "I16",
  title: "liveness",
  check(trial) {
    const { history, mapping, ledger, report } = trial;
    checkFailovers(trial);
    if (history.quiescentAt !== undefined) return;
    let open = 0;
    let example: string | undefined;
    for (const record of mapping.stream.records) {
      const { id } = record;
      if (!isOwed(mapping, record)) continue;
      const done = Math.min(
        ledger.processedAt[id] ?? 0,
        ledger.acceptedAt[id] ?? 0,
        ledger.trimmedAt[id] ?? 0,
        ledger.securedAt[id] ?? 0,
      );
      if (done <= history.endedAt) continue;
      open++;
      example ??= `${record.position} of ${record.shard.shardId}`;
    }
    // What is not done may be a queue's.
    if (open === 0 && history.queues.some(({ queue }) => queue.left > 0)) return;
    const registered = mapping.owedFrom.filter((from) => from !== undefined).length;
    const shards = `${registered} of ${mapping.stream.shards.length} logs registered`;
    report(history.endedAt, `not quiescent: ${open} records open, first ${example ?? "none"}; ${shards}`);
  },
};

/**
 * Judged where the store answers and no process is paused: then nothing excuses a shard that lies idle but timers that
 * come late.
 */
function checkFailovers({ history, mapping, report }: Trial): void {
  const { scenario } = history;
  if (Object.keys(scenario.rates).some((kind) => kind.startsWith("store"))) return;
  if (scenario.faults.some((fault) => fault.kind === "pause" || fault.kind === "outage")) return;
  const withinMs = scenario.settings.leaseDurationMs + scenario.settings.leaseRenewalMs + FAILOVER_MS;
  const owners = new Map<string, SimProcess>();
  const orphanedAt = new Map<string, number>();
  for (const event of mapping.events) {
    for (const [shard, owner] of owners) {
      if (owner.diedAt !== undefined && owner.diedAt <= event.at && !orphanedAt.has(shard)) {
        orphanedAt.set(shard, owner.diedAt);
      }
    }
    if (event.kind !== "leaseMoved") continue;
    const { shardId } = event.shard;
    const idleSince = orphanedAt.get(shardId);
    if (event.move === "acquired") {
      if (idleSince !== undefined) {
        const isTooLate = (survivor: SimProcess) => {
          const since = workedSince(survivor, mapping.mapping.uuid, idleSince, event.at);
          return event.at - since > withinMs + heldUpMs(survivor, since, event.at);
        };
        const idleMs = Math.round(event.at - idleSince);
        if (survivors(history, idleSince, event.at).some(isTooLate))
          report(event.at, `${shardId} lay idle for ${idleMs} ms after its owner was killed`);
      }
      owners.set(shardId, event.process);
      orphanedAt.delete(shardId);
    } else if (event.move === "released") {
      owners.delete(shardId);
      orphanedAt.delete(shardId);
    }
  }
}

/**
 * Processes that worked all the time from the death to the take-over, where none came: a newcomer gets its share of the
 * orphans, but has to watch them for the lease's time itself.
 */
function survivors({ processes }: History, from: number, to: number): readonly SimProcess[] {
  if (processes.some(({ bornAt }) => bornAt > from && bornAt < to)) return [];
  return processes.filter(
    ({ bornAt, diedAt, stopCalledAt }) =>
      bornAt <= from && (diedAt ?? to) >= to && (stopCalledAt ?? to) >= to,
  );
}

/**
 * A change restarts the mapping in each process: from then on it watches the leases of others anew. Until it has begun
 * again it can take none.
 */
function workedSince({ updates }: SimProcess, uuid: string, from: number, to: number): number {
  const last = updates.findLast((update) => update.uuid === uuid && update.at < to);
  return last === undefined ? from : Math.max(from, last.begunAt ?? to);
}

/** How long between the two it waited for a timer that was overdue: it may have been the one that has it look. */
function heldUpMs({ lateTimers }: SimProcess, from: number, to: number): number {
  let sumMs = 0;
  let reached = from;
  for (const { dueAt, lateMs } of [...lateTimers].sort((a, b) => a.dueAt - b.dueAt)) {
    const until = Math.min(dueAt + lateMs, to);
    if (until <= reached) continue;
    sumMs += Math.max(0, until - Math.max(dueAt, reached));
    reached = until;
  }
  return sumMs;
}
