import { isOwed } from "../history.ts";
import type { Checker } from "./checker.ts";

/** After the healing everything is settled and checkpointed within the bound, and every open shard has an owner. */
export const liveness: Checker = {
  id: "I16",
  title: "liveness",
  check({ history, mapping, ledger, report }) {
    if (history.quiescentAt !== undefined) return;
    let open = 0;
    let example: string | undefined;
    for (const record of mapping.stream.records) {
      const { id } = record;
      if (!isOwed(mapping, record)) continue;
      const done = Math.min(
        ledger.processedAt[id] ?? 0,
        ledger.acceptedAt[id] ?? 0,
        ledger.trimmedAt[id] ?? 0,
      );
      if (done <= history.endedAt) continue;
      open++;
      example ??= `${record.position} of ${record.shard.shardId}`;
    }
    const registered = mapping.owedFrom.filter((from) => from !== undefined).length;
    const shards = `${registered} of ${mapping.stream.shards.length} shards registered`;
    report(history.endedAt, `not quiescent: ${open} records open, first ${example ?? "none"}; ${shards}`);
  },
};
