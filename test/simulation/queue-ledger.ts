import type { QueueHistory } from "./queue-history.ts";
import type { FaultEvent, Scenario } from "./scenario.ts";
import type { FaultKind } from "./world/fault-desk.ts";
import type { SimMessage } from "./world/queue-message.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** When each message came to its end, by message id, in world milliseconds: what several checkers ask. */
export interface QueueLedger {
  /** The function has processed it for good. */
  readonly processedAt: Float64Array;
  /** A process was first told so. */
  readonly toldAt: Float64Array;
  /** Processed, redriven, or nothing that is owed: later messages of its group may come. */
  readonly endedAt: Float64Array;
  /** The accepted messages of each group in the order of sending. */
  readonly groups: ReadonlyMap<string, readonly SimMessage[]>;
}

export function createQueueLedger({ queue, events }: QueueHistory): QueueLedger {
  const { messages } = queue;
  const times = () => new Float64Array(messages.length).fill(NEVER);
  const [processedAt, toldAt, endedAt] = [times(), times(), times()];
  for (const event of events) {
    if (event.kind !== "attemptRan" && event.kind !== "attemptTold") continue;
    const { deliveries, processed, toldSettled } = event.attempt;
    const [list, done] = event.kind === "attemptRan" ? [processedAt, processed] : [toldAt, toldSettled];
    for (const [index, { sent }] of deliveries.entries()) {
      if (done[index] === true) list[sent.id] = Math.min(event.at, list[sent.id] ?? NEVER);
    }
  }
  const groups = new Map<string, SimMessage[]>();
  for (const message of messages) {
    const { id, accepted, redrivenAt, groupId, unmade } = message;
    // What cannot be converted is given up alone: nothing of its group waits for it.
    endedAt[id] =
      accepted && unmade === undefined
        ? Math.min(processedAt[id] ?? NEVER, redrivenAt ?? NEVER)
        : Number.NEGATIVE_INFINITY;
    if (!accepted || unmade !== undefined) continue;
    const group = groups.get(groupId) ?? [];
    groups.set(groupId, group);
    group.push(message);
  }
  return { processedAt, toldAt, endedAt, groups };
}

/** Whether anything of these can happen in the scenario. */
export function canHappen(
  { rates, faults }: Scenario,
  kinds: readonly FaultKind[],
  events: readonly FaultEvent["kind"][],
): boolean {
  return kinds.some((kind) => kind in rates) || faults.some(({ kind }) => events.includes(kind));
}
