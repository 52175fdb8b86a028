import type { QueueChecker } from "./queue-checker.ts";

const GAUGES = ["buffered_bytes", "buffered_records", "queue_receivers", "in_flight_invocations"] as const;

/** How much faster than the world's a process's clock may run. */
const DRIFT_SHARE = 0.0011;

/**
 * When a mapping has stopped within its drain nothing of it holds bytes, places or slots, whatever its adapters threw.
 */
export const balance: QueueChecker = {
  id: "I26",
  title: "balance",
  check({ history, queue, report }) {
    for (const [process, { gauges, counts }] of queue.words) {
      const { state, stopResolvedAt, drainDeadline } = process;
      if (state === "dead" || stopResolvedAt === undefined) continue;
      const forgotten = counts.get("forgotten_messages") ?? 0;
      if (forgotten > 0)
        report(stopResolvedAt, `${process.owner} stopped, and ${forgotten} messages were in nobody's hands`);
      // What outlasts the drain is given up, not ended.
      if (stopResolvedAt >= drainDeadline - history.scenario.drainMs * DRIFT_SHARE) continue;
      for (const gauge of GAUGES) {
        const value = gauges.get(gauge) ?? 0;
        if (value !== 0) report(stopResolvedAt, `${process.owner} stopped with ${gauge} at ${value}`);
      }
    }
  },
};
