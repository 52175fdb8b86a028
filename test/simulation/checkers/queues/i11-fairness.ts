import type { QueueChecker } from "./queue-checker.ts";

/** Time in which a healthy message must be done, whatever fails beside it. */
const ROUND_MS = 5_000;

/** A group or mapping that fails for ever delays no other: when the world is about to heal, all else is done. */
export const fairness: QueueChecker = {
  id: "I11",
  title: "fairness",
  check({ history, queue, ledger, report }) {
    if (history.scenario.flavour !== "isolation") return;
    const until = history.scenario.faultsEndMs;
    for (const { id, messageId, groupId, accepted, poison, sentAt } of queue.queue.messages) {
      if (!accepted || poison || sentAt > until - ROUND_MS || (ledger.endedAt[id] ?? 0) <= until) continue;
      report(until, `healthy ${messageId} of ${groupId} had to wait`);
    }
  },
};
