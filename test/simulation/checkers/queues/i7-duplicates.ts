import type { QueueAttempt } from "../../queue-history.ts";
import type { QueueChecker } from "./queue-checker.ts";

/** How much faster than the world's a process's clock may run. */
const DRIFT_SHARE = 0.0011;

/**
 * Where nothing fails nothing is repeated: no message is invoked again that a process was told is done, nor one whose
 * attempt was not cut off by a stop; and where nobody stops, every message is received once.
 */
export const duplicates: QueueChecker = {
  id: "I7",
  title: "bounded duplicates",
  check({ history, queue, report }) {
    const { flavour } = history.scenario;
    if (flavour === "swarm") return;
    const last = new Map<string, QueueAttempt>();
    for (const attempt of queue.attempts) {
      for (const { messageId, sent } of attempt.deliveries) {
        const before = last.get(messageId);
        last.set(messageId, attempt);
        if (before === undefined || sent.poison || wasCutOff(before, history.scenario.drainMs)) continue;
        report(attempt.startedAt, `attempt ${attempt.id} repeats ${messageId}, done in attempt ${before.id}`);
        return;
      }
    }
    if (flavour !== "calm") return;
    for (const { messageId, receiveCount, deletedAt } of queue.queue.messages) {
      if (receiveCount > 1) report(deletedAt ?? 0, `${messageId} was received ${receiveCount} times`);
    }
  },
};

/** What a process was told after its drain deadline, by its own clock, or never, it may leave. */
function wasCutOff({ process, toldAt }: QueueAttempt, drainMs: number): boolean {
  return toldAt === undefined || process.drainDeadline - drainMs * DRIFT_SHARE < toldAt;
}
