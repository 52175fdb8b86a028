import type { Attempt } from "../history.ts";
import type { Ledger } from "../ledger.ts";
import type { SimProcess } from "../world/process.ts";
import type { Checker } from "./checker.ts";

/**
 * An attempt on a record never starts before every earlier record of its key and shard has ended, unless they stand
 * before it in the same batch; and one process never has two attempts with the same key under way.
 */
export const keyOrder: Checker = {
  id: "I2",
  title: "order per key",
  check({ mapping, ledger, report }) {
    const running = new Map<SimProcess, Map<string, Attempt>>();
    for (const event of mapping.events) {
      if (event.kind === "attemptStarted") {
        const { attempt } = event;
        const offender = findUnordered(attempt, ledger);
        if (offender !== undefined) report(event.at, offender);
        const own = running.get(attempt.process) ?? new Map<string, Attempt>();
        running.set(attempt.process, own);
        for (const { key } of attempt.records) {
          const other = own.get(key);
          // A stream that was made anew has its keys in other shards: what follows what there only I21 says.
          if (other !== undefined && other !== attempt && other.shard.life === attempt.shard.life) {
            report(event.at, `attempts ${other.id} and ${attempt.id} with key ${key} run at once`);
          }
          own.set(key, attempt);
        }
      } else if (event.kind === "attemptTold") {
        const own = running.get(event.attempt.process);
        for (const { key } of event.attempt.records) {
          if (own?.get(key) === event.attempt) own.delete(key);
        }
      }
    }
  },
};

function findUnordered(attempt: Attempt, ledger: Ledger): string | undefined {
  return isPlain(attempt, ledger) ? undefined : findOffender(attempt, ledger);
}

/** In order, and all that comes before them has ended, whatever stands in the batch: so it is mostly. */
function isPlain({ records, startedAt }: Attempt, { predecessorsEndedAt }: Ledger): boolean {
  let previous = -1;
  for (const { id, index } of records) {
    if (index <= previous || (predecessorsEndedAt[id] ?? 0) > startedAt) return false;
    previous = index;
  }
  return true;
}

function findOffender(attempt: Attempt, ledger: Ledger): string | undefined {
  const inBatch = new Map<string, number>();
  let previous = -1;
  for (const { id, index, key, position } of attempt.records) {
    if (index <= previous) return `attempt ${attempt.id} has its records out of order`;
    previous = index;
    const before = inBatch.get(key);
    inBatch.set(key, id);
    if ((ledger.predecessorsEndedAt[id] ?? 0) <= attempt.startedAt) continue;
    if (before !== undefined && areEndedBetween(before, id, attempt.startedAt, ledger)) continue;
    return `attempt ${attempt.id} has record ${position} of ${key} before an earlier one has ended`;
  }
  return undefined;
}

/**
 * Records between two of a batch may have grown too old: a record without an arrival time does not, and stays before
 * them.
 */
function areEndedBetween(before: number, id: number, at: number, { predecessor, endedAt }: Ledger): boolean {
  let earlier = predecessor[id] ?? -1;
  while (earlier !== before) {
    if (earlier === -1 || (endedAt[earlier] ?? 0) > at) return false;
    earlier = predecessor[earlier] ?? -1;
  }
  return true;
}
