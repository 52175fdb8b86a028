import type { SimShard } from "../world/stream.ts";
import type { Checker } from "./checker.ts";

/**
 * No record is given up as expired, and no shard forgotten, unless the source itself said so: it keeps all shards of a
 * run but those that went when it was made anew, and has trimmed what it has trimmed. `MaximumRecordAgeInSeconds` is
 * the mapping's word, judged by the source's time: no wall clock of a process has a say.
 */
export const sourceWord: Checker = {
  id: "I20",
  title: "the source's word",
  check({ mapping, ledger, report }) {
    const trimmedAt = ledger.trimmedAt.toSorted();
    const registered = new Set<SimShard>();
    let expired = 0;
    for (const event of mapping.events) {
      if (event.kind === "delivered" && event.record.condition === "RecordAgeExceeded") {
        const young = event.records.find(({ id }) => (ledger.agedAt[id] ?? 0) > event.at);
        if (young !== undefined) report(event.at, `record ${young.position} was given up before its age`);
      } else if (event.kind === "dropped" && event.counter === "expired_events") {
        expired += event.amount;
        const gone = trimmedAt.findIndex((at) => at > event.at);
        const trimmed = gone === -1 ? trimmedAt.length : gone;
        // Each record may come to its end once in each process that held it.
        const most = trimmed * mapping.mapping.parallelizationFactor * 4;
        if (trimmed === 0 || expired > most) {
          report(event.at, `${expired} records were called expired, and the source had trimmed ${trimmed}`);
        }
      } else if (event.kind === "registered") {
        // What was asked for before the source denied the shard may be written behind that: there is nothing to read.
        if (registered.has(event.shard) && (event.shard.goneAt ?? Number.POSITIVE_INFINITY) > event.at)
          report(event.at, `${event.shard.shardId} was forgotten and found again`);
        registered.add(event.shard);
      }
    }
  },
};
