import type { SimDelivery } from "../../world/queue.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/**
 * After stop is called nothing starts and nothing is received; what waits is given back at once; what a process is told by
 * its drain deadline it settles; its part of a maximum is free. (The world watches timers, late calls and the end of the stop itself.)
 */
export const shutdown: QueueChecker = {
  id: "I15",
  title: "shutdown",
  check(trial) {
    const { queue, report } = trial;
    for (const { kind, at, process } of queue.events) {
      if (kind !== "attemptStarted" && kind !== "receiveStarted") continue;
      if (process.stopCalledAt === undefined || at <= process.stopCalledAt) continue;
      report(
        at,
        `${process.owner} ${kind === "receiveStarted" ? "receives" : "invokes"} after it was stopped`,
      );
    }
    checkEndings(trial);
    checkParts(trial);
  },
};

/** Parts of a maximum are given back. An answer of the store that was lost leaves one that only time takes away. */
function checkParts({ history, queue, report }: QueueTrial): void {
  const { scenario, processes, leasesLeft, endedAt } = history;
  for (const { lease, owner } of leasesLeft) {
    const process = processes.find((each) => each.owner === owner && each.stopResolvedAt !== undefined);
    if (process === undefined || !lease.startsWith(queue.mapping.uuid)) continue;
    if (process.leases.has(lease) || scenario.flavour !== "swarm")
      report(endedAt, `${owner} stopped and kept ${lease}`);
  }
}

function checkEndings({ queue, report }: QueueTrial): void {
  const attempted = new Set<SimDelivery>();
  const settled = new Set<SimDelivery>();
  for (const event of queue.events) {
    if (event.kind === "attemptStarted") for (const each of event.attempt.deliveries) attempted.add(each);
    else if (event.kind === "settlementSent" && event.how !== "extend") {
      for (const each of event.deliveries) settled.add(each);
    }
  }
  for (const event of queue.events) {
    const { process } = event;
    const { stopCalledAt, stopResolvedAt } = process;
    if (stopCalledAt === undefined || stopResolvedAt === undefined) continue;
    if (event.kind === "receiveEnded") {
      const stopLocalMs = process.localAt(stopCalledAt);
      const kept = event.deliveries.find(
        (each) => !attempted.has(each) && !settled.has(each) && isHeldAt(each, stopLocalMs),
      );
      if (kept !== undefined)
        report(stopResolvedAt, `${process.owner} stopped and kept ${kept.messageId}, which waited`);
    } else if (event.kind === "attemptTold" && event.at < process.drainDeadline) {
      const { deliveries, toldSettled } = event.attempt;
      const open = deliveries.find(
        (each, index) => toldSettled[index] === true && !settled.has(each) && !each.toldLost,
      );
      const isPast = open !== undefined && !isHeldAt(open, process.localAt(event.at));
      if (open !== undefined && !isPast)
        report(event.at, `${process.owner} never settled ${open.messageId}, which is done`);
    }
  }
}

function isHeldAt({ toldLost, heldUntilLocalMs, over }: SimDelivery, localMs: number): boolean {
  return !toldLost && over?.by !== "duplicated" && heldUntilLocalMs > localMs;
}
