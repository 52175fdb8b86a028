import { type Attempt, isOwed, isUnmade, type MappingHistory, type ReadReturned } from "../history.ts";
import { isOversized, type Ledger } from "../ledger.ts";
import { isSettledIn, type SettledPlaces, settledPlaces } from "../settled-places.ts";
import { isIn } from "../world/log.ts";
import type { SimProcess } from "../world/process.ts";
import type { SimRecord, SimShard } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * What a process has read of a mapping and not brought to an end never exceeds the mapping's budget by more than one
 * read per shard, whatever stalls; nor a shard's window by more than one read.
 */
export const memory: Checker = {
  id: "I10",
  title: "memory bound",
  check(trial) {
    const holdings = new Map<SimProcess, Holding>();
    for (const event of trial.mapping.events) {
      switch (event.kind) {
        case "leaseMoved":
          if (event.move === "acquired" && event.checkpoint !== undefined) {
            const places = settledPlaces(event.shard, event.checkpoint);
            holdingOf(holdings, event.process).skip(event.shard, places);
          }
          break;
        case "readReturned":
          holdingOf(holdings, event.process).read(event, trial);
          break;
        case "readerClosed":
          holdingOf(holdings, event.process).close(event.readerId);
          break;
        case "attemptTold":
          holdingOf(holdings, event.attempt.process).settle(endedBy(event.attempt, trial.mapping));
          break;
        case "delivered":
          if (event.accepted || event.refused) holdingOf(holdings, event.process).settle(event.records);
          break;
        default:
      }
    }
  },
};

/** Without a destination nobody sees which records are given up: each that failed may be. */
function endedBy(attempt: Attempt, { mapping }: MappingHistory): readonly SimRecord[] {
  if (attempt.toldCounts && mapping.onFailureDestination === undefined) return attempt.records;
  return attempt.toldProcessed;
}

function holdingOf(holdings: Map<SimProcess, Holding>, process: SimProcess): Holding {
  const holding = holdings.get(process) ?? new Holding();
  holdings.set(process, holding);
  return holding;
}

/** Records that one process holds, each under the reader that read it. */
class Holding {
  /** What its checkpoint told it not to process again. */
  readonly #skipped = new Map<string, { readonly shard: SimShard; readonly places: SettledPlaces }>();
  readonly #readerOf = new Map<SimRecord, number>();
  readonly #ofReader = new Map<number, Set<SimRecord>>();
  readonly #largestRead = new Map<number, number>();
  #bytes = 0;

  skip(shard: SimShard, places: SettledPlaces): void {
    this.#skipped.set(shard.shardId, { shard, places });
  }

  read(event: ReadReturned, trial: Trial): void {
    const held = this.#ofReader.get(event.readerId) ?? new Set<SimRecord>();
    this.#ofReader.set(event.readerId, held);
    const skipped = this.#skipped.get(event.shard.shardId);
    let readBytes = 0;
    for (let index = event.from; index < event.to; index++) {
      const record = event.shard.records[index];
      if (record === undefined || !isOwed(trial.mapping, record)) continue;
      readBytes += record.bytes;
      if (this.#readerOf.has(record)) continue;
      if (skipped !== undefined && isIn(skipped.shard, record) && isSettledIn(skipped.places, index))
        continue;
      // Without a destination nobody sees when a record that no event can hold is given up.
      const isSeen = trial.mapping.mapping.onFailureDestination !== undefined;
      const isNever = isOversized(trial.history, trial.mapping, record) || isUnmade(trial.mapping, record);
      if (!isSeen && isNever) continue;
      this.#readerOf.set(record, event.readerId);
      held.add(record);
      this.#bytes += record.bytes;
    }
    this.#largestRead.set(event.readerId, Math.max(readBytes, this.#largestRead.get(event.readerId) ?? 0));
    this.#check(event, held, trial);
  }

  #check(event: ReadReturned, held: ReadonlySet<SimRecord>, trial: Trial): void {
    const { history, mapping, ledger, report } = trial;
    const { mappingBudgetBytes, shardWindowRecords, readRecords } = history.scenario.settings;
    // With a batching window there is room for a batch of each lane.
    const { batchingWindowMs, parallelizationFactor, batchSize } = mapping.mapping;
    const lanesRecords = batchingWindowMs === 0 ? 0 : parallelizationFactor * batchSize;
    const recordsMax = Math.max(shardWindowRecords, lanesRecords);
    let slack = 0;
    for (const readBytes of this.#largestRead.values()) slack += readBytes;
    const isOver = () => this.#bytes > mappingBudgetBytes + slack || held.size > recordsMax + readRecords;
    if (!isOver()) return;
    this.#forgetAged(event.at, ledger);
    if (!isOver()) return;
    const bytes = `${this.#bytes} bytes of a budget of ${mappingBudgetBytes}`;
    report(event.at, `${event.process.owner} holds ${bytes}, ${held.size} records of ${event.shard.shardId}`);
  }

  /** Nobody sees which records are given up for their age without a destination: all that may be are taken for it. */
  #forgetAged(at: number, ledger: Ledger): void {
    this.settle([...this.#readerOf.keys()].filter((record) => (ledger.agedAt[record.id] ?? 0) <= at));
  }

  close(readerId: number): void {
    this.settle([...(this.#ofReader.get(readerId) ?? [])]);
    this.#ofReader.delete(readerId);
    this.#largestRead.delete(readerId);
  }

  settle(records: readonly SimRecord[]): void {
    for (const record of records) {
      const reader = this.#readerOf.get(record);
      if (reader === undefined) continue;
      this.#readerOf.delete(record);
      this.#ofReader.get(reader)?.delete(record);
      this.#bytes -= record.bytes;
    }
  }
}
