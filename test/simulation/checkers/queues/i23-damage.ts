import type { SimDelivery } from "../../world/queue.ts";
import { mayLoseHolds } from "./hold-faults.ts";
import type { QueueChecker } from "./queue-checker.ts";
import { HOLD_ENDED, unseenReceives } from "./unseen.ts";

/**
 * A message of which no event can be made costs itself: it reaches no function and is told each time it comes, and every
 * neighbour in its receive is handed to the function, unless its own hold or process was lost.
 */
export const damage: QueueChecker = {
  id: "I23",
  title: "damage stays small",
  check({ queue, history, report }) {
    const mayLose = mayLoseHolds(history.scenario);
    const unseen = new Map(unseenReceives(queue).map((each) => [each.delivery, each]));
    for (const { id, deliveries, startedAt } of queue.attempts) {
      const unmade = deliveries.find(({ sent }) => sent.unmade !== undefined);
      if (unmade !== undefined)
        report(startedAt, `attempt ${id} has ${unmade.messageId}, which cannot be encoded`);
    }
    for (const event of queue.events) {
      if (event.kind !== "receiveEnded" || !event.deliveries.some(isUnmade)) continue;
      const lost = event.deliveries.map((each) => unseen.get(each)).find((each) => each !== undefined);
      const isExcused = lost?.excuse !== undefined && (lost.excuse !== HOLD_ENDED || mayLose);
      if (lost !== undefined && !isExcused && lost.releasedAt === undefined) {
        const { messageId } = lost.delivery;
        report(
          event.at,
          `${messageId} came beside a message that cannot be converted, and reached no function`,
        );
      }
    }
    // What an update kept and nobody took up goes back as it came, unread.
    const released = new Set<SimDelivery>(
      queue.events.flatMap((event) =>
        event.kind === "settlementSent" && event.how === "release" ? event.deliveries : [],
      ),
    );
    const isDue = (each: SimDelivery) => each.sent.unmade === "damaged" && !released.has(each);
    for (const [process, { counts }] of queue.words) {
      if (process.state === "dead" || process.stopResolvedAt === undefined) continue;
      const told = counts.get("damaged_events") ?? 0;
      const due = queue.events.reduce((sum, event) => {
        if (event.kind !== "receiveEnded" || event.process !== process) return sum;
        return sum + event.deliveries.filter(isDue).length;
      }, 0);
      const isCut = process.stopResolvedAt >= process.drainDeadline;
      if (told < due && !isCut)
        report(history.endedAt, `${process.owner} had ${due} damaged messages, and told of ${told}`);
    }
  },
};

function isUnmade({ sent }: SimDelivery): boolean {
  return sent.unmade !== undefined;
}
