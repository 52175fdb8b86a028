import type { Checker } from "./checker.ts";

/**
 * An engine that has stopped has given back all that it took: bytes of its budget, slots of its functions, whatever
 * threw on the way; and at quiescence no shard keeps a tumbling window that nobody will close. (Leases are I15's.)
 */
export const balance: Checker = {
  id: "I26",
  title: "balance",
  check({ history, mapping, report }) {
    if (mapping.ordinal === 0) {
      for (const { owner, what, amount } of history.taken) {
        report(history.endedAt, `${owner} has stopped and holds ${amount} of ${what}`);
      }
    }
    if (history.quiescentAt === undefined) return;
    const open = new Set<string>();
    for (const event of mapping.events) {
      // What was trimmed and is in hand may open one behind that: the stop finds it, and leaves it to the next owner.
      if (event.kind !== "checkpointed" || event.at > history.quiescentAt) continue;
      if (event.checkpoint.window === undefined) open.delete(event.shard.shardId);
      else open.add(event.shard.shardId);
    }
    for (const shardId of open) report(history.quiescentAt, `the last window of ${shardId} is still open`);
  },
};
