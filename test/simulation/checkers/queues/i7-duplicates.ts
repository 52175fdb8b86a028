import { maximumOf } from "../../../../src/engine/queue/batch-scaling.ts";
import type { QueueAttempt } from "../../queue-history.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/**
 * Where nothing fails nothing is repeated: no message is invoked again that a process was told is done, nor one whose attempt
 * was not cut off by a stop; and where nobody stops, every message is received once. A process that has handed over its last
 * place of a shared maximum gives back what waits with it, and that is received once more.
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
        if (before === undefined || sent.poison || wasCutOff(before)) continue;
        report(attempt.startedAt, `attempt ${attempt.id} repeats ${messageId}, done in attempt ${before.id}`);
        return;
      }
    }
    if (flavour !== "calm") return;
    const givenBack = history.processes.length > 1 ? countGivenBack(queue) : new Map<string, number>();
    for (const { messageId, receiveCount, deletedAt } of queue.queue.messages) {
      const expected = 1 + (givenBack.get(messageId) ?? 0);
      if (receiveCount > expected) report(deletedAt ?? 0, `${messageId} was received ${receiveCount} times`);
    }
  },
};

/** How often each message was given back, where processes share a maximum. */
function countGivenBack({ mapping, events }: QueueTrial["queue"]): Map<string, number> {
  const counts = new Map<string, number>();
  if (maximumOf(mapping) === undefined) return counts;
  for (const event of events) {
    if (event.kind !== "settlementApplied" || event.how !== "release") continue;
    for (const { messageId } of event.deliveries) counts.set(messageId, (counts.get(messageId) ?? 0) + 1);
  }
  return counts;
}

/** What a process was told after its drain deadline, or never, it may leave. */
function wasCutOff({ process, toldAt }: QueueAttempt): boolean {
  return toldAt === undefined || process.drainDeadline < toldAt;
}
