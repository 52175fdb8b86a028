import { isOwed } from "../history.ts";
import type { Checker } from "./checker.ts";

/**
 * Every record that the filter accepts is, at quiescence, processed, accepted by the destination, parked, or given up
 * within the policy and counted. Records that the source trimmed before they were processed are its loss, not the
 * engine's.
 */
export const noLoss: Checker = {
  id: "I1",
  title: "no loss",
  check({ history, mapping, ledger, report }) {
    if (history.quiescentAt === undefined) return;
    let givenUp = 0;
    for (const record of mapping.stream.records) {
      const { id } = record;
      if (!isOwed(mapping, record)) continue;
      const done = Math.min(
        ledger.processedAt[id] ?? 0,
        ledger.acceptedAt[id] ?? 0,
        ledger.trimmedAt[id] ?? 0,
        ledger.securedAt[id] ?? 0,
      );
      if (done <= history.endedAt) continue;
      if ((ledger.droppableAt[id] ?? 0) <= history.endedAt) givenUp++;
      else report(history.quiescentAt, `record ${record.position} of ${record.shard.shardId} is lost`);
    }
    const counted = mapping.dropsCounted + mapping.expiriesCounted;
    if (givenUp > counted) {
      report(history.quiescentAt, `${givenUp} records were given up, ${counted} were counted`);
    }
  },
};
