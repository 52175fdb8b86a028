import type { QueueAttempt } from "../../queue-history.ts";
import { canHappen } from "../../queue-ledger.ts";
import type { SimDelivery } from "../../world/queue-message.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/** Timers are late by up to a millisecond. */
const TICK_MS = 5;
const RETRY_AFTER_MS_MAX = 3_000;
const CALL_MS = 100;

interface Tries {
  readonly requestId: string;
  readonly deliveries: readonly SimDelivery[];
  /** By the process's clock: how long the hold lasted, as known when the batch was first throttled. */
  untilLocalMs: number;
  last: QueueAttempt;
}

/**
 * A delivery is invoked once, whatever comes of it; only what was throttled or not reached is tried again, as the same
 * batch, while the hold lasts that it had then, and not given up before (queues §2.2), and what was refused for its
 * size in parts.
 */
export const attempts: QueueChecker = {
  id: "I3",
  title: "attempts",
  check(trial) {
    const { queue, report } = trial;
    const triesOf = new Map<SimDelivery, Tries>();
    for (const event of queue.events) {
      if (event.kind === "attemptStarted") {
        const { attempt } = event;
        const [first] = attempt.deliveries;
        const known = first === undefined ? undefined : triesOf.get(first);
        const before = known !== undefined && isPartOf(attempt, known.last) ? undefined : known;
        const offence = findOffence(attempt, triesOf);
        if (offence !== undefined) report(event.at, `attempt ${attempt.id} ${offence}`);
        const { requestId, deliveries } = attempt;
        const tries = before ?? {
          requestId,
          deliveries,
          untilLocalMs: Number.POSITIVE_INFINITY,
          last: attempt,
        };
        tries.last = attempt;
        for (const delivery of deliveries) triesOf.set(delivery, tries);
      } else if (event.kind === "attemptTold" && event.attempt.told === "payloadTooLarge") {
        // Parts of what was too large are other batches.
        const { deliveries } = event.attempt;
        if (deliveries.length > 1) for (const delivery of deliveries) triesOf.delete(delivery);
      } else if (event.kind === "attemptTold" && event.attempt.toldAgain) {
        const [first] = event.attempt.deliveries;
        const tries = first === undefined ? undefined : triesOf.get(first);
        if (tries?.untilLocalMs === Number.POSITIVE_INFINITY)
          tries.untilLocalMs = event.attempt.toldHeldUntilLocalMs;
      }
    }
    checkPatience(trial, new Set(triesOf.values()));
  },
};

/** A batch whose size was refused is tried in smaller parts. */
function isPartOf(attempt: QueueAttempt, refused: QueueAttempt): boolean {
  if (refused.told !== "payloadTooLarge" || attempt.deliveries.length >= refused.deliveries.length)
    return false;
  return attempt.deliveries.every((delivery) => refused.deliveries.includes(delivery));
}

function findOffence(attempt: QueueAttempt, triesOf: ReadonlyMap<SimDelivery, Tries>): string | undefined {
  const { deliveries, requestId, startedLocalMs } = attempt;
  for (const delivery of deliveries) {
    const tries = triesOf.get(delivery);
    if (tries === undefined || isPartOf(attempt, tries.last)) continue;
    const { last, untilLocalMs } = tries;
    if (!last.toldAgain) return `invokes ${delivery.messageId} again, after ${last.told ?? "no answer"}`;
    if (tries.requestId !== requestId || tries.deliveries.length !== deliveries.length) {
      return `makes another batch of what was throttled: ${delivery.messageId}`;
    }
    if (startedLocalMs > untilLocalMs + TICK_MS) return `goes on after the hold of the batch had ended`;
  }
  return undefined;
}

/** Judged where holds are kept and nothing holds the process up. */
function checkPatience({ history, queue, report }: QueueTrial, all: ReadonlySet<Tries>): void {
  const { scenario } = history;
  const { backoffCapMs } = scenario.settings;
  if (queue.plan.fn.concurrency < 1_000) return;
  const extensions = ["extension failed", "extension applied, reply lost", "extension slow"] as const;
  const others = ["extension failed in part", "message duplicated", "timer late"] as const;
  const kinds = [...extensions, ...others, "hold ended by the queue"] as const;
  if (canHappen(scenario, kinds, ["pause", "outage"])) return;
  for (const { last, untilLocalMs } of all) {
    const { process, toldAt } = last;
    if (!last.toldAgain || toldAt === undefined) continue;
    const waitMs = backoffCapMs + RETRY_AFTER_MS_MAX + CALL_MS;
    const livedUntil = Math.min(process.diedAt ?? history.endedAt, process.stopCalledAt ?? history.endedAt);
    if (livedUntil < toldAt + waitMs || untilLocalMs < process.localAt(toldAt) + waitMs) continue;
    report(toldAt, `the batch of attempt ${last.id} was given up while its hold lasted`);
  }
}
