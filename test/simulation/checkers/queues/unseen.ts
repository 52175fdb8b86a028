import type { QueueHistory } from "../../queue-history.ts";
import type { SimProcess } from "../../world/process.ts";
import type { SimDelivery } from "../../world/queue-message.ts";

/** Timers are late by up to a millisecond, clocks drift, and an answer may be under way. */
const TICK_MS = 50;

const KEPT_MS = 60_000;
/** Clocks drift by a thousandth of it. */
const UPDATE_TICK_MS = 100;

export const HOLD_ENDED = "its hold had ended";

/** A receive of a message that no function saw, and what the world knows of why. */
export interface UnseenReceive {
  readonly delivery: SimDelivery;
  readonly process: SimProcess;
  /** When the process gave it back; `undefined`: it did not. */
  readonly releasedAt: number | undefined;
  /** What befell it from outside; `undefined`: nothing that the engine could not help. */
  readonly excuse: string | undefined;
}

/** Receives whose answer reached a living process and whose message is for the function, and that it never ran. */
export function unseenReceives(history: QueueHistory): readonly UnseenReceive[] {
  const { events, attempts } = history;
  const seen = new Set<SimDelivery>(attempts.flatMap(({ deliveries }) => deliveries));
  const releasedAt = new Map<SimDelivery, number>();
  const got: SimDelivery[] = [];
  for (const event of events) {
    if (event.kind === "receiveEnded") got.push(...event.deliveries);
    if (event.kind !== "settlementSent" || event.how !== "release") continue;
    for (const delivery of event.deliveries) releasedAt.set(delivery, event.at);
  }
  return got.flatMap((delivery) => {
    if (seen.has(delivery) || !delivery.sent.accepted || delivery.sent.unmade !== undefined) return [];
    const released = releasedAt.get(delivery);
    const { process } = delivery;
    return [{ delivery, process, releasedAt: released, excuse: excuseOf(history, delivery, released) }];
  });
}

function excuseOf(
  history: QueueHistory,
  delivery: SimDelivery,
  releasedAt: number | undefined,
): string | undefined {
  const { process } = delivery;
  if (process.state === "dead") return "its process died";
  const drainEnd = process.drainDeadline - TICK_MS;
  // What comes back to a stop that uses up its drain may find a mapping that has ended: it is in nobody's hand, and its
  // hold ends by itself, later.
  const { deliveredAt = 0 } = delivery;
  const { stopCalledAt = Number.POSITIVE_INFINITY, stopResolvedAt = Number.POSITIVE_INFINITY } = process;
  const isLate = deliveredAt >= stopCalledAt && stopResolvedAt >= drainEnd;
  if (isLate && releasedAt === undefined && stopResolvedAt < Number.POSITIVE_INFINITY)
    return "the drain was over";
  if (delivery.toldLost || delivery.hasLapsed) return "its hold was lost";
  if (delivery.over?.by === "duplicated" || delivery.over?.by === "expired") return HOLD_ENDED;
  if (
    process.localAt(releasedAt ?? process.stopResolvedAt ?? Number.MAX_VALUE) >=
    delivery.heldUntilLocalMs - TICK_MS
  )
    return HOLD_ENDED;
  if (releasedAt !== undefined && wasTooLate(history, process, releasedAt))
    return "its mapping did not begin again in time";
  if (releasedAt !== undefined && releasedAt >= drainEnd) return "the drain was over";
  if (releasedAt === undefined && process.stopResolvedAt !== undefined && process.stopResolvedAt >= drainEnd)
    return "the drain was over";
  return undefined;
}

/** What an update kept goes back when the mapping does not begin again within a minute, or when its process stops. */
function wasTooLate({ updates }: QueueHistory, process: SimProcess, releasedAt: number): boolean {
  const update = updates.findLast((each) => each.process === process && each.at <= releasedAt);
  if (update === undefined || releasedAt > (update.begunAt ?? Number.POSITIVE_INFINITY)) return false;
  const { stopCalledAt = Number.POSITIVE_INFINITY } = process;
  return releasedAt >= update.at + KEPT_MS - UPDATE_TICK_MS || releasedAt >= stopCalledAt;
}
