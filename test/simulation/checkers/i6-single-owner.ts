import type { Checker } from "./checker.ts";

/**
 * No attempt starts without a lease, none after the owner's own clock says that the lease has run out, none once the
 * store knows another owner; and nobody takes a lease whose counter it has not seen standing still for the lease's
 * time.
 */
export const singleOwner: Checker = {
  id: "I6",
  title: "single owner",
  check({ history, mapping, report }) {
    const { leaseDurationMs } = history.scenario.settings;
    const epochs = new Map<string, number>();
    for (const event of mapping.events) {
      if (event.kind === "leaseMoved" && event.move === "acquired") {
        epochs.set(event.shard.shardId, event.epoch);
      } else if (event.kind === "leaseSought") {
        const isForeign = event.owner !== undefined && event.owner !== event.process.owner;
        if (isForeign && event.watchedMs < leaseDurationMs) {
          const watched = Math.round(event.watchedMs);
          report(event.at, `${event.process.owner} takes ${event.shard.shardId} after ${watched} ms`);
        }
      } else if (event.kind === "attemptStarted") {
        const { attempt } = event;
        const what = () =>
          `${attempt.process.owner} starts attempt ${attempt.id} on ${attempt.shard.shardId}`;
        if (attempt.epoch === undefined || attempt.confirmedLocalMs === undefined) {
          report(event.at, `${what()} without a lease`);
          continue;
        }
        const expiredMs = attempt.startedLocalMs - attempt.confirmedLocalMs - leaseDurationMs;
        if (expiredMs > 0) report(event.at, `${what()} ${Math.ceil(expiredMs)} ms after its lease ran out`);
        if (epochs.get(attempt.shard.shardId) !== attempt.epoch)
          report(event.at, `${what()} while another owns it`);
      }
    }
  },
};
