import type { QueueChecker } from "./queue-checker.ts";

/** After the healing the queue is drained, or redriven, within the bound. */
export const liveness: QueueChecker = {
  id: "I16",
  title: "liveness",
  check({ history, queue, report }) {
    if (history.quiescentAt !== undefined) return;
    const left = queue.queue.messages.filter(
      ({ deletedAt, redrivenAt }) => deletedAt === undefined && redrivenAt === undefined,
    );
    const [first] = left;
    if (first === undefined) return;
    report(history.endedAt, `not quiescent: ${left.length} messages left, first ${first.messageId}`);
  },
};
