import type { SimDelivery } from "../../world/queue-message.ts";
import { mayLoseHolds } from "./hold-faults.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/** Timers are late by up to a millisecond, and clocks drift. */
const TICK_MS = 40;
/** And early by up to two. */
const EARLY_MS = 5;

/**
 * After stop is called nothing starts and nothing is received; what waits is given back at once; what a process is told
 * by its drain deadline it settles; its part of a maximum is free. (The world watches timers, late calls and the end of
 * the stop itself.)
 */
export const shutdown: QueueChecker = {
  id: "I15",
  title: "shutdown",
  check(trial) {
    const { queue, report } = trial;
    for (const { kind, at, process } of queue.events) {
      if (kind !== "attemptStarted" && kind !== "receiveStarted") continue;
      if (process.stopCalledAt === undefined || at <= process.stopCalledAt) continue;
      // What is in hand, and what comes back, is run within the drain.
      if (kind === "attemptStarted" && at <= process.drainDeadline + TICK_MS) continue;
      report(
        at,
        `${process.owner} ${kind === "receiveStarted" ? "receives after it was stopped" : "invokes after its drain"}`,
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

function checkEndings({ history, queue, report }: QueueTrial): void {
  // What a part of a batch has done is settled with the rest of it, which the drain may cut off.
  const isSplit = "payload refused" in history.scenario.rates;
  // What waits for a place within the drain may be lost to others first.
  const mayLose = mayLoseHolds(history.scenario);
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
      // A mapping whose drain is over does not wait for receives; it says that they did not come back in time.
      if (event.at >= Math.min(stopResolvedAt, process.drainDeadline - EARLY_MS)) continue;
      const stopLocalMs = process.localAt(stopCalledAt);
      // A process whose timers are late has let go what it could no longer count on: the queue may hold it a little
      // longer, as it was asked for before it was given.
      const endLocalMs = process.localAt(stopResolvedAt);
      // One whose hold had ended before its prolongation was answered was let go, though the queue held it again.
      const isLost = ({ over, hasLapsed, heldUntilLocalMs }: SimDelivery) =>
        mayLose &&
        (hasLapsed || heldUntilLocalMs <= endLocalMs || (over?.by === "expired" && over.at < stopResolvedAt));
      const kept = event.deliveries.find(
        (each) =>
          !attempted.has(each) &&
          !settled.has(each) &&
          each.sent.unmade === undefined &&
          isHeldAt(each, stopLocalMs) &&
          !isLost(each),
      );
      if (kept !== undefined)
        report(stopResolvedAt, `${process.owner} stopped and kept ${kept.messageId}, which waited`);
    } else if (event.kind === "attemptTold" && event.at < process.drainDeadline - TICK_MS) {
      const { deliveries, toldSettled } = event.attempt;
      const open = deliveries.find(
        (each, index) => toldSettled[index] === true && !settled.has(each) && !each.toldLost,
      );
      const isPast = open !== undefined && !isHeldAt(open, process.localAt(event.at));
      if (open !== undefined && !isPast && !isSplit)
        report(event.at, `${process.owner} never settled ${open.messageId}, which is done`);
    }
  }
}

function isHeldAt({ toldLost, heldUntilLocalMs, over }: SimDelivery, localMs: number): boolean {
  return !toldLost && over?.by !== "duplicated" && heldUntilLocalMs > localMs;
}
