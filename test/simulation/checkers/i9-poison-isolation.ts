import type { Attempt } from "../history.ts";
import type { SimRecord } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * With bisect on, attempts are only ever exhausted by a record alone; where nothing fails but the poison, exactly the
 * poison is given up; and finding the only poisoned record of a batch of n costs at most 2⌈log₂ n⌉ + 1 invocations
 * beyond its retries.
 */
export const poisonIsolation: Checker = {
  id: "I9",
  title: "poison isolation",
  check(trial) {
    const { mapping, history } = trial;
    if (!mapping.mapping.bisectBatchOnFunctionError) return;
    const isPure = history.scenario.flavour === "poison";
    for (const event of mapping.events) {
      if (event.kind !== "delivered" || event.record.condition !== "RetryAttemptsExhausted") continue;
      if (event.records.length > 1) {
        trial.report(event.at, `${event.records.length} records were given up together: bisect is on`);
      }
      const innocent = isPure ? event.records.find((record) => !record.poison) : undefined;
      if (innocent !== undefined) {
        trial.report(event.at, `record ${innocent.position} was given up and is no poison`);
      }
    }
    if (isPure) checkCosts(trial);
  },
};

interface Search {
  readonly size: number;
  readonly poison: number;
  readonly members: ReadonlySet<SimRecord>;
  invocations: number;
}

/** Groups attempts by the batch that they are parts of: parts come one after the other, in front of all else. */
function checkCosts(trial: Trial): void {
  const retriesMax = trial.mapping.mapping.retryAttemptsMax ?? 0;
  const searches = new Map<string, Map<SimRecord, Search>>();
  for (const event of trial.mapping.events) {
    if (event.kind !== "attemptStarted") continue;
    const { attempt } = event;
    const [first] = attempt.records;
    if (first === undefined) continue;
    const ownership = `${attempt.process.ordinal}/${attempt.shard.ordinal}/${attempt.epoch}`;
    const own = searches.get(ownership) ?? new Map<SimRecord, Search>();
    searches.set(ownership, own);
    const search = own.get(first) ?? beginSearch(attempt, own);
    search.invocations++;
    const allowed = 2 * Math.ceil(Math.log2(search.size)) + 1 + retriesMax;
    if (search.poison === 1 && search.invocations > allowed) {
      const what = `the poison in a batch of ${search.size} cost ${search.invocations} invocations`;
      trial.report(event.at, `${what}, not ${allowed}`);
    }
  }
}

function beginSearch(attempt: Attempt, own: Map<SimRecord, Search>): Search {
  const members = new Set(attempt.records);
  const poison = attempt.records.filter((record) => record.poison).length;
  const search: Search = { size: members.size, poison, members, invocations: 0 };
  for (const record of members) own.set(record, search);
  return search;
}
