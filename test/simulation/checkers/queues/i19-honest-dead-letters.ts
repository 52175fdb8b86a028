import { maximumOf } from "../../../../src/engine/queue/batch-scaling.ts";
import { canHappen } from "../../queue-ledger.ts";
import type { SimProcess } from "../../world/process.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";
import { type UnseenReceive, unseenReceives } from "./unseen.ts";

/**
 * A message is handed to the function in each of its receives, or else its receive came to nothing by a fault, or it
 * was given back for a stated reason; and what is given back is counted. So whoever finds a message in a dead-letter
 * queue knows that the function had it as often as the queue says.
 */
export const honestDeadLetters: QueueChecker = {
  id: "I19",
  title: "honest dead letters",
  check(trial) {
    const unseen = unseenReceives(trial.queue);
    for (const each of unseen) checkExcuse(trial, each);
    checkCounts(trial, unseen);
  },
};

function checkExcuse(trial: QueueTrial, { delivery, process, releasedAt, excuse }: UnseenReceive): void {
  if (excuse !== undefined || mayGiveBack(trial, releasedAt)) return;
  const at = releasedAt ?? process.stopResolvedAt ?? trial.history.endedAt;
  const { messageId, receiveCount, sent } = delivery;
  const how = releasedAt === undefined ? "forgot" : "gave back";
  const dead = sent.redrivenAt === undefined ? "" : ", and it is dead-lettered";
  trial.report(
    at,
    `${process.owner} ${how} ${messageId}, receive ${receiveCount}, which no function saw${dead}`,
  );
}

/**
 * Where nothing takes places away, breaks holds or settlements, or makes a batch too large, nothing is ever given back.
 */
function mayGiveBack({ history, queue }: QueueTrial, releasedAt: number | undefined): boolean {
  if (releasedAt === undefined) return false;
  const { scenario } = history;
  const isShared = maximumOf(queue.mapping) !== undefined;
  const kinds = [
    "settlement failed",
    "settlement applied, reply lost",
    "settlement failed in part",
    "settlement slow",
    "extension failed",
    "extension applied, reply lost",
    "extension failed in part",
    "extension slow",
    "receive slow",
    "message duplicated",
    "hold ended by the queue",
    "timer late",
    "payload refused",
  ] as const;
  const stores = [
    "store slow",
    "store failed before apply",
    "store failed after apply",
    "store applied late",
  ] as const;
  if (canHappen(scenario, kinds, ["pause", "outage"]) || (isShared && canHappen(scenario, stores, [])))
    return true;
  // A group is held back behind a failure in it where that is asked for, or where its messages do not fit into one
  // batch.
  return queue.plan.isFifo && queue.plan.workload.largeShare > 0;
}

function checkCounts({ history, queue, report }: QueueTrial, unseen: readonly UnseenReceive[]): void {
  const given = new Map<SimProcess, number>();
  for (const { process, releasedAt } of unseen) {
    if (releasedAt !== undefined && process.state !== "dead")
      given.set(process, (given.get(process) ?? 0) + 1);
  }
  for (const [process, count] of given) {
    const counted = queue.words.get(process)?.counts.get("unseen_receives") ?? 0;
    if (counted < count)
      report(
        history.endedAt,
        `${process.owner} gave back ${count} messages that no function saw, and counted ${counted}`,
      );
  }
}
