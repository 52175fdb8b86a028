import { type SettledPlaces, settledPlaces } from "../settled-places.ts";
import type { SimShard } from "../world/stream.ts";
import type { Checker } from "./checker.ts";

/**
 * A durable checkpoint never takes back what an earlier one called settled, whoever wrote either. Of a log that the
 * source has no more its row is removed in the end, and what it called settled with it: a registration that was sent
 * before and takes effect behind the removal makes a row that knows nothing, of a log that gives nothing.
 */
export const checkpointMonotone: Checker = {
  id: "I4",
  title: "monotone checkpoint",
  check({ mapping, report }) {
    const last = new Map<SimShard, SettledPlaces>();
    for (const event of mapping.events) {
      if (event.kind === "registered" && isGone(event.shard, event.at)) last.delete(event.shard);
      if (event.kind !== "checkpointed") continue;
      const { shard, checkpoint, process, at } = event;
      const now = settledPlaces(shard, checkpoint);
      const before = last.get(shard);
      last.set(shard, now);
      if (before === undefined) continue;
      if (now.reached < before.reached) {
        report(at, `${process.owner} moved ${shard.shardId} back from ${before.reached} to ${now.reached}`);
      }
      if (before.ranges.length === 0) continue;
      const isKnown = (index: number) => now.has(index) || isTrimmed(shard, index, at);
      const lost = before.ranges.find((range) => !isKnown(range[0]) || !isKnown(range[1] - 1));
      if (lost !== undefined) {
        report(at, `${process.owner} forgot that ${lost.join("…")} of ${shard.shardId} is settled`);
      }
    }
  },
};

function isGone({ goneAt }: SimShard, at: number): boolean {
  return goneAt !== undefined && goneAt <= at;
}

/** What the source has trimmed nobody can settle again. */
function isTrimmed({ trimmedAt }: SimShard, index: number, at: number): boolean {
  return (trimmedAt[index] ?? Number.POSITIVE_INFINITY) <= at;
}
