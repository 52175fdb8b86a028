import type { History } from "../../history.ts";
import type { QueueHistory } from "../../queue-history.ts";
import { canHappen } from "../../queue-ledger.ts";
import type { SimDelivery } from "../../world/queue-message.ts";
import { mayLoseHolds } from "./hold-faults.ts";
import type { QueueChecker } from "./queue-checker.ts";
import { HOLD_ENDED, unseenReceives } from "./unseen.ts";

/**
 * A message of which no event can be made costs itself: it reaches no function and is told each time it comes, and
 * every neighbour in its receive is handed to the function, unless its own hold or process was lost.
 */
export const damage: QueueChecker = {
  id: "I23",
  title: "damage stays small",
  check({ queue, history, report }) {
    if (!queue.queue.messages.some(({ unmade }) => unmade !== undefined)) return;
    const mayLose = mayLoseHolds(history.scenario);
    const unseen = new Map(unseenReceives(queue).map((each) => [each.delivery, each]));
    for (const { id, deliveries, startedAt } of queue.attempts) {
      const unmade = deliveries.find(({ sent }) => sent.unmade !== undefined);
      if (unmade !== undefined)
        report(startedAt, `attempt ${id} has ${unmade.messageId}, which cannot be encoded`);
    }
    const untouched = findUntouched(queue, history);
    for (const event of queue.events) {
      if (event.kind !== "receiveEnded" || !event.deliveries.some(isUnmade)) continue;
      const lost = event.deliveries.map((each) => unseen.get(each)).find((each) => each !== undefined);
      const isLeft = lost !== undefined && untouched(lost.delivery);
      const isExcused = lost?.excuse !== undefined && (lost.excuse !== HOLD_ENDED || (mayLose && !isLeft));
      if (lost !== undefined && !isExcused && lost.releasedAt === undefined) {
        const { messageId } = lost.delivery;
        report(
          event.at,
          `${messageId} came beside a message that cannot be converted, and reached no function`,
        );
      }
    }
    // What an update kept and nobody took up goes back as it came, unread, or is forgotten with its hold.
    const released = new Set<SimDelivery>(
      queue.events.flatMap((event) =>
        event.kind === "settlementSent" && event.how === "release" ? event.deliveries : [],
      ),
    );
    const isDue = (each: SimDelivery) =>
      each.sent.unmade === "damaged" && !released.has(each) && !wasLostWhileKept(queue, each);
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

/** It came while an update had stopped its mapping, and its hold was lost before the mapping began again. */
function wasLostWhileKept({ updates }: QueueHistory, delivery: SimDelivery): boolean {
  const { process, deliveredAt, toldLost, heldUntilLocalMs } = delivery;
  if (deliveredAt === undefined) return false;
  return updates.some(({ process: updated, at, begunAt = Number.POSITIVE_INFINITY }) => {
    const isKept = updated === process && deliveredAt >= at && deliveredAt <= begunAt;
    return isKept && (toldLost || heldUntilLocalMs <= process.localAt(begunAt));
  });
}

/** With so much left of a hold it is looked at before it ends. */
const LOOKED_AT_MS = 1_000;

/**
 * Deliveries whose process did nothing at all for them, though it went on: it neither ran them nor gave them back nor
 * asked to hold them for longer. No fault of the queue or the function excuses that.
 */
function findUntouched(
  { events, updates }: QueueHistory,
  { scenario, endedAt }: History,
): (delivery: SimDelivery) => boolean {
  const touched = new Set<SimDelivery>(
    events.flatMap((event) => (event.kind === "settlementSent" ? event.deliveries : [])),
  );
  const isHeldUp = canHappen(scenario, ["timer late"], ["pause"]);
  return (delivery) => {
    const { process, deliveredAt, heldUntilLocalMs } = delivery;
    if (isHeldUp || touched.has(delivery) || deliveredAt === undefined) return false;
    if (heldUntilLocalMs - process.localAt(deliveredAt) < LOOKED_AT_MS) return false;
    const livedUntil = Math.min(process.diedAt ?? endedAt, process.stopCalledAt ?? endedAt);
    const isUpdated = updates.some(
      (each) => each.process === process && each.at > deliveredAt - LOOKED_AT_MS,
    );
    return !isUpdated && process.localAt(livedUntil) > heldUntilLocalMs;
  };
}
