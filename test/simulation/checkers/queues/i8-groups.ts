import type { QueueAttempt, SettlementApplied } from "../../queue-history.ts";
import type { SimProcess } from "../../world/process.ts";
import type { SimDelivery } from "../../world/queue-message.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/**
 * FIFO: one batch of a group at a time, in one process always, over all while the holds last; and no message is deleted
 * while an earlier one of its group is neither done nor redriven (with strictAwsFifo: unless they were in one batch).
 */
export const groups: QueueChecker = {
  id: "I8",
  title: "FIFO groups",
  check(trial) {
    const { queue, report } = trial;
    if (!queue.plan.isFifo) return;
    const running = new Map<string, Set<QueueAttempt>>();
    const lastOf = new Map<SimDelivery, QueueAttempt>();
    const open = new Map<string, number>();
    const told = new Set<SimDelivery>();
    for (const event of queue.events) {
      if (event.kind === "attemptStarted") {
        for (const delivery of event.attempt.deliveries) lastOf.set(delivery, event.attempt);
        checkAlone(trial, event.attempt, running, told);
      } else if (event.kind === "attemptTold") {
        for (const { sent } of event.attempt.deliveries) running.get(sent.groupId)?.delete(event.attempt);
      } else if (event.kind === "settlementTold") {
        for (const [index, delivery] of event.deliveries.entries()) {
          if (event.results[index] === "lost") told.add(delivery);
        }
      } else if (event.kind === "settlementApplied" && event.how === "acknowledge") {
        const offence = findOvertaker(trial, event, lastOf, open);
        if (offence !== undefined) report(event.at, offence);
      }
    }
  },
};

function checkAlone(
  { report }: QueueTrial,
  attempt: QueueAttempt,
  running: Map<string, Set<QueueAttempt>>,
  told: ReadonlySet<SimDelivery>,
): void {
  for (const { sent } of attempt.deliveries) {
    const others = running.get(sent.groupId) ?? new Set();
    running.set(sent.groupId, others.add(attempt));
    for (const other of others) {
      if (other === attempt || !countsFor(other, sent.groupId, attempt.process, attempt.startedAt)) continue;
      if (isUnaware(attempt, sent.groupId, other, told)) continue;
      report(attempt.startedAt, `attempts ${other.id} and ${attempt.id} of ${sent.groupId} run at once`);
      return;
    }
  }
}

/** A batch of another process whose holds have ended, or that died, holds nobody up. */
function countsFor(other: QueueAttempt, groupId: string, process: SimProcess, at: number): boolean {
  if (other.process.state === "dead" && (other.process.diedAt ?? at) <= at) return false;
  if (other.process === process) return true;
  const own = other.deliveries.filter((delivery) => delivery.groupId === groupId);
  return own.every(({ over }) => over === undefined || over.at > at);
}

/**
 * The queue ended holds of it before their time, gave those messages to another process, and has not said so yet. What
 * else the batch has is held still.
 */
function isUnaware(
  { deliveries, process, startedAt }: QueueAttempt,
  groupId: string,
  other: QueueAttempt,
  told: ReadonlySet<SimDelivery>,
): boolean {
  if (other.process === process) return false;
  const own = deliveries.filter((delivery) => delivery.groupId === groupId);
  const ended = own.filter(({ over }) => over !== undefined && over.at <= startedAt);
  return ended.length > 0 && ended.every((each) => each.over?.byQueue === true && !told.has(each));
}

function findOvertaker(
  { queue, ledger }: QueueTrial,
  { at, deliveries, results }: SettlementApplied,
  lastOf: ReadonlyMap<SimDelivery, QueueAttempt>,
  open: Map<string, number>,
): string | undefined {
  const isOver = (id: number, deletedAt: number | undefined, redrivenAt: number | undefined) =>
    (deletedAt ?? redrivenAt ?? Number.POSITIVE_INFINITY) <= at || (ledger.toldAt[id] ?? 0) <= at;
  for (const [index, delivery] of deliveries.entries()) {
    const { sent } = delivery;
    if (results[index] !== "settled" || !sent.accepted) continue;
    const group = ledger.groups.get(sent.groupId) ?? [];
    let first = open.get(sent.groupId) ?? 0;
    for (let next = group[first]; next !== undefined; next = group[first]) {
      if (!isOver(next.id, next.deletedAt, next.redrivenAt)) break;
      first++;
    }
    open.set(sent.groupId, first);
    const earlier = group[first];
    if (earlier === undefined || earlier.id >= sent.id) continue;
    const batch = lastOf.get(delivery)?.deliveries ?? [];
    if (queue.mapping.strictAwsFifo && batch.some((each) => each.sent === earlier)) continue;
    return `${sent.messageId} of ${sent.groupId} is deleted before ${earlier.messageId} is done`;
  }
  return undefined;
}
