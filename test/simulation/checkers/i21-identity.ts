import { type Attempt, type Checkpointed, isOwed } from "../history.ts";
import { comparePositions, isIn, logIdOf, sharedPart } from "../world/log.ts";
import type { SimShard } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * Where a shard is another log by now, since its stream was made anew or it lost its end: every record of the new log
 * is delivered, behind what was read of the old one and never beside it; no checkpoint goes back to the old one; and
 * whoever turned from one to the other has said so.
 */
export const identity: Checker = {
  id: "I21",
  title: "identity",
  check(trial) {
    const { mapping, history } = trial;
    if (mapping.stream.shards.every(({ goneAt }) => goneAt === undefined)) return;
    checkTurns(trial);
    checkOrder(trial);
    if (history.quiescentAt !== undefined) checkDelivery(trial, history.quiescentAt);
  },
};

function checkDelivery({ mapping, history, ledger, report }: Trial, quiescentAt: number): void {
  for (const shard of mapping.stream.current) {
    if (shard.life === 0 && shard.before === undefined) continue;
    const lost = shard.records.find(
      (record) =>
        record.shard === shard &&
        isOwed(mapping, record) &&
        (ledger.endedAt[record.id] ?? 0) > history.endedAt,
    );
    if (lost === undefined) continue;
    report(quiescentAt, `record ${lost.position} of ${shard.shardId}, ${logIdOf(shard)} by now, is lost`);
  }
}

/**
 * From checkpoint to checkpoint of a name: the log moves on only, and was told where the one does not go on from the
 * other.
 */
function checkTurns({ mapping, report }: Trial): void {
  const last = new Map<string, Checkpointed>();
  let turns = 0;
  for (const event of mapping.events) {
    // Forgotten and found again is a name that begins anew.
    if (event.kind === "registered") last.delete(event.shard.shardId);
    if (event.kind !== "checkpointed") continue;
    const { shard, at, process } = event;
    const before = last.get(shard.shardId);
    last.set(shard.shardId, event);
    if (before === undefined || before.shard === shard) continue;
    if (before.shard.ordinal > shard.ordinal) {
      report(at, `${process.owner} went back from ${logIdOf(before.shard)} to ${logIdOf(shard)}`);
    }
    if (goesOn(shard, before)) continue;
    turns++;
  }
  if (turns > mapping.changesTold) {
    const told = `${turns} times a shard was found to be another log, and ${mapping.changesTold} times it was told`;
    report(Number.MAX_SAFE_INTEGER, told);
  }
}

/** All that the checkpoint of the log before says is in this log too. */
function goesOn(shard: SimShard, { shard: before, checkpoint: { resume } }: Checkpointed): boolean {
  const shared = sharedPart(shard, logIdOf(before));
  if (shared === undefined) return false;
  if (shared.to === undefined || resume.kind !== "after") return true;
  return comparePositions(resume.position, shared.to) <= 0;
}

/** Within one ownership: no record that another log has replaced is handed over beside or behind one of that log. */
function checkOrder({ mapping, report }: Trial): void {
  const newest = new Map<string, SimShard>();
  const running = new Map<string, Set<Attempt>>();
  for (const event of mapping.events) {
    if (event.kind !== "attemptStarted" && event.kind !== "attemptTold") continue;
    const { attempt } = event;
    const { process, epoch, shard, id } = attempt;
    const key = `${process.ordinal}/${epoch}/${shard.shardId}`;
    const own = running.get(key) ?? new Set();
    running.set(key, own);
    if (event.kind === "attemptTold") {
      own.delete(attempt);
      continue;
    }
    if (attempt.records.length === 0) continue;
    own.add(attempt);
    const known = newest.get(key);
    if (known === undefined || known.ordinal < shard.ordinal) newest.set(key, shard);
    const log = newest.get(key) ?? shard;
    const isOld = (each: Attempt) => each.records.some((record) => !isIn(log, record));
    if (isOld(attempt)) report(event.at, `attempt ${id} has records that ${logIdOf(log)} has replaced`);
    const beside = log === shard ? [...own].find(isOld) : undefined;
    if (beside === undefined || beside === attempt) continue;
    report(event.at, `attempt ${id} of ${logIdOf(log)} runs beside attempt ${beside.id} of what it replaced`);
  }
}
