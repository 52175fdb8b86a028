import type { QueueAttempt } from "../../queue-history.ts";
import type { SimMessage } from "../../world/queue-message.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/**
 * FIFO: an attempt on a message never starts before every earlier message of its group is processed or redriven, unless
 * they stand before it in the same batch.
 */
export const groupOrder: QueueChecker = {
  id: "I2",
  title: "order per group",
  check(trial) {
    const { queue, report } = trial;
    if (!queue.plan.isFifo) return;
    const open = new Map<string, number>();
    for (const event of queue.events) {
      if (event.kind !== "attemptStarted") continue;
      const offender = findUnordered(trial, event.attempt, open);
      if (offender !== undefined) report(event.at, offender);
    }
  },
};

/** `open`: how many messages at the front of each group have ended. */
function findUnordered(
  { ledger }: QueueTrial,
  attempt: QueueAttempt,
  open: Map<string, number>,
): string | undefined {
  const seen = new Set<SimMessage>();
  const last = new Map<string, number>();
  for (const { sent } of attempt.deliveries) {
    const { id, groupId, messageId } = sent;
    if ((last.get(groupId) ?? -1) >= id) return `attempt ${attempt.id} has its messages out of order`;
    last.set(groupId, id);
    const group = ledger.groups.get(groupId) ?? [];
    let index = open.get(groupId) ?? 0;
    while ((ledger.endedAt[group[index]?.id ?? -1] ?? Number.POSITIVE_INFINITY) <= attempt.startedAt) index++;
    open.set(groupId, index);
    for (let at = index; at < group.length; at++) {
      const earlier = group[at];
      if (earlier === undefined || earlier.id >= id) break;
      if (seen.has(earlier) || (ledger.endedAt[earlier.id] ?? 0) <= attempt.startedAt) continue;
      return `attempt ${attempt.id} has ${messageId} before ${earlier.messageId} of ${groupId} has ended`;
    }
    seen.add(sent);
  }
  return undefined;
}
