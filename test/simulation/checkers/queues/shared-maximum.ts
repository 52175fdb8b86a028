import { maximumOf } from "../../../../src/engine/queue/batch-scaling.ts";
import type { QueueAttempt } from "../../queue-history.ts";
import type { SimProcess } from "../../world/process.ts";
import { PartedBatches } from "./parted-batches.ts";
import type { QueueChecker } from "./queue-checker.ts";

/** An owner starts nothing in the last tenth of its lease. Clocks drift by a thousandth within it, and so does this. */
const MARGIN_SHARE = 0.098;

/**
 * A mapping's maximum holds over all processes. A batch that its process could start may go on when the process is gone
 * or cut off, and others take its place: so batches count that were started within the margin of a lease, in which
 * nobody else can have got the place. Where nothing fails, all that run count. A batch that waited in its process for
 * the function's own concurrency has begun before, as in `scaling`: it starts in the instant in which another one of
 * its process ends, and would be given back unseen if it were stopped.
 */
export const sharedMaximum: QueueChecker = {
  id: "scaling",
  title: "maximum over all processes",
  check({ history, queue, report }) {
    const maximum = maximumOf(queue.mapping);
    if (maximum === undefined) return;
    const { flavour, settings } = history.scenario;
    const countedMs =
      flavour === "swarm" ? settings.leaseDurationMs * MARGIN_SHARE : Number.POSITIVE_INFINITY;
    const begun = new Set<string>();
    const parted = new PartedBatches();
    const running = new Set<QueueAttempt>();
    const endedAt = new Map<SimProcess, number>();
    const isFnBounded = flavour === "swarm" && queue.plan.fn.concurrency < 1_000;
    for (const { kind, at, attempt } of queue.events.filter((event) => "attempt" in event)) {
      if (kind === "attemptTold") {
        running.delete(attempt);
        endedAt.set(attempt.process, at);
        parted.told(attempt);
      }
      // A batch that was throttled, or that goes on in parts, does so whatever its process has now.
      if (kind !== "attemptStarted" || begun.has(attempt.requestId) || parted.hasPart(attempt)) continue;
      begun.add(attempt.requestId);
      if (isFnBounded && endedAt.get(attempt.process) === at) continue;
      running.add(attempt);
      const counted = [...running].filter(({ startedAt }) => startedAt > at - countedMs);
      if (counted.length <= maximum) continue;
      const owners = new Set(counted.map(({ process }) => process.owner));
      report(at, `${[...owners].join(", ")} run ${counted.length} batches at once, of ${maximum}`);
      return;
    }
  },
};
