import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/** Time in which a healthy message must be done, whatever fails beside it. */
const ROUND_MS = 5_000;

/** Nothing fails and nothing is slow but the sick group: so long no healthy message waits while none starts. */
const IDLE_MS = 300;

/** A group or mapping that fails for ever delays no other: when the world is about to heal, all else is done. */
export const fairness: QueueChecker = {
  id: "I11",
  title: "fairness",
  check(trial) {
    const { history, queue, ledger, report } = trial;
    if (history.scenario.flavour !== "isolation") return;
    checkIdle(trial);
    const until = history.scenario.faultsEndMs;
    for (const { id, messageId, groupId, accepted, poison, sentAt } of queue.queue.messages) {
      if (!accepted || poison || sentAt > until - ROUND_MS || (ledger.endedAt[id] ?? 0) <= until) continue;
      report(until, `healthy ${messageId} of ${groupId} had to wait`);
    }
  },
};

/** FIFO: while the sick group's batch runs, and holds up its own group alone, healthy groups go on without a pause. */
function checkIdle({ history, queue, report }: QueueTrial): void {
  if (!queue.plan.isFifo || queue.plan.workload.poisoned !== "group") return;
  const groupFreeAt = new Map<string, number>();
  let lastStartAt = 0;
  for (const event of queue.events) {
    if (event.at > history.scenario.faultsEndMs) return;
    if (event.kind === "attemptTold")
      for (const { sent } of event.attempt.deliveries) groupFreeAt.set(sent.groupId, event.at);
    if (event.kind !== "attemptStarted") continue;
    const healthy = event.attempt.deliveries.filter(({ sent }) => !sent.poison);
    for (const { messageId, sent } of healthy) {
      const since = Math.max(sent.sentAt, lastStartAt, groupFreeAt.get(sent.groupId) ?? 0);
      if (event.at - since <= IDLE_MS) continue;
      const idleMs = Math.round(event.at - since);
      report(
        event.at,
        `healthy ${messageId} of ${sent.groupId} waited ${idleMs} ms, and no other went before it`,
      );
      return;
    }
    if (healthy.length > 0) lastStartAt = event.at;
  }
}
