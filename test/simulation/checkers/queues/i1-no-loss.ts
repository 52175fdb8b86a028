import type { QueueChecker } from "./queue-checker.ts";

/**
 * Every accepted message is processed before it is deleted, or redriven by the queue's own policy; what the filter does
 * not let through reaches no function.
 */
export const noLoss: QueueChecker = {
  id: "I1",
  title: "no loss",
  check({ queue, ledger, report }) {
    for (const { id, messageId, accepted, deletedAt } of queue.queue.messages) {
      if (!accepted || deletedAt === undefined || (ledger.processedAt[id] ?? 0) <= deletedAt) continue;
      report(deletedAt, `${messageId} was deleted and never processed`);
    }
    for (const { id, deliveries, startedAt } of queue.attempts) {
      const unwanted = deliveries.find(({ sent }) => !sent.accepted);
      if (unwanted !== undefined)
        report(startedAt, `attempt ${id} has ${unwanted.messageId}, which no pattern matches`);
    }
  },
};
