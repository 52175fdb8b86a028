import { type History, isOwed, type MappingHistory } from "../history.ts";
import type { Checker } from "./checker.ts";

/** Time in which a healthy record must be done, whatever fails beside it: reads, windows and rounds of lanes. */
const ROUND_MS = 5_000;

/**
 * One key, shard or mapping that fails for ever delays no other: when the world is about to heal, all records of
 * healthy shards and mappings have ended, and within the sick shard those of most other keys (some share the sick key's
 * lane).
 */
export const fairness: Checker = {
  id: "I11",
  title: "fairness",
  check({ history, mapping, ledger, report }) {
    if (history.scenario.flavour !== "isolation") return;
    const until = history.scenario.faultsEndMs;
    const sickShards = new Set(
      mapping.stream.records.filter((record) => record.poison).map((record) => record.shard),
    );
    const isOnlyKey = poisonedOf(history, mapping) === "key";
    const lateKeys = new Map<string, boolean>();
    for (const record of mapping.stream.records) {
      const arrivedLate = record.arrivedMs - (mapping.stream.records[0]?.arrivedMs ?? 0) > until - ROUND_MS;
      if (record.poison || !isOwed(mapping, record) || arrivedLate) continue;
      const isLate = (ledger.endedAt[record.id] ?? 0) > until;
      if (!sickShards.has(record.shard)) {
        if (isLate) report(until, `healthy record ${record.position} of ${record.shard.shardId} had to wait`);
      } else if (isOnlyKey) {
        lateKeys.set(record.key, isLate || lateKeys.get(record.key) === true);
      }
    }
    const late = [...lateKeys.values()].filter((isLate) => isLate).length;
    if (late > lateKeys.size * 0.7 && lateKeys.size >= 8) {
      report(until, `one sick key held up ${late} of ${lateKeys.size} keys of its shard`);
    }
  },
};

function poisonedOf(history: History, mapping: MappingHistory): string | undefined {
  return history.scenario.mappings[mapping.ordinal]?.workload.poisoned;
}
