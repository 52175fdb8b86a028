import { type Attempt, isOwed, isUnmade, type MappingHistory, type ReadReturned } from "../history.ts";
import { isOversized, type Ledger } from "../ledger.ts";
import { type SettledPlaces, settledPlaces } from "../settled-places.ts";
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
    const parked = new ParkedSoFar();
    for (const event of trial.mapping.events) {
      switch (event.kind) {
        case "leaseMoved":
          if (event.move === "acquired" && event.checkpoint !== undefined) {
            const places = settledPlaces(event.shard, event.checkpoint);
            holdingOf(holdings, event.process).skip(event.shard, places);
          }
          break;
        case "readReturned":
          holdingOf(holdings, event.process).read(event, trial, parked);
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
        case "secured":
          parked.note(event.records);
          holdingOf(holdings, event.process).settle(event.records);
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

/** Keys that stand aside, with the newest of their records in the store. */
class ParkedSoFar {
  readonly #newest = new Map<string, number>();

  note(records: readonly SimRecord[]): void {
    for (const record of records) this.#newest.set(nameOf(record), record.id);
  }

  /** What stands before those that are parked was over before the first of them was tried. */
  passesOver(record: SimRecord): boolean {
    return record.id <= (this.#newest.get(nameOf(record)) ?? -1);
  }
}

function nameOf({ shard, key }: SimRecord): string {
  return `${shard.shardId} ${key}`;
}

/** What one reader has read. */
class Pages {
  /** Of these the process holds so many still. */
  readonly records: SimRecord[] = [];
  held = 0;
  largestBytes = 0;
}

/** Records that one process holds, each under the reader that read it. */
class Holding {
  /** What its checkpoint told it not to process again. */
  readonly #skipped = new Map<string, { readonly shard: SimShard; readonly places: SettledPlaces }>();
  /** By record id. */
  readonly #pagesOf: (Pages | undefined)[] = [];
  readonly #ofReader = new Map<number, Pages>();
  #bytes = 0;

  skip(shard: SimShard, places: SettledPlaces): void {
    this.#skipped.set(shard.shardId, { shard, places });
  }

  read(event: ReadReturned, trial: Trial, parked: ParkedSoFar): void {
    const pages = this.#ofReader.get(event.readerId) ?? new Pages();
    this.#ofReader.set(event.readerId, pages);
    // Without a destination nobody sees when a record that no event can hold is given up.
    const isSeen = trial.mapping.mapping.onFailureDestination !== undefined;
    const skipped = this.#skipped.get(event.shard.shardId);
    let readBytes = 0;
    for (let index = event.from; index < event.to; index++) {
      const record = event.shard.records[index];
      if (record === undefined || !isOwed(trial.mapping, record)) continue;
      readBytes += record.bytes;
      if (this.#pagesOf[record.id] !== undefined) continue;
      if (parked.passesOver(record)) continue;
      if (skipped !== undefined && isIn(skipped.shard, record) && skipped.places.has(index)) continue;
      if (!isSeen && isNever(trial, record)) continue;
      this.#pagesOf[record.id] = pages;
      pages.records.push(record);
      pages.held++;
      this.#bytes += record.bytes;
    }
    pages.largestBytes = Math.max(readBytes, pages.largestBytes);
    this.#check(event, pages, trial);
  }

  #check(event: ReadReturned, pages: Pages, trial: Trial): void {
    const { history, mapping, ledger, report } = trial;
    const { mappingBudgetBytes, shardWindowRecords, readRecords } = history.scenario.settings;
    // With a batching window there is room for a batch of each lane.
    const { batchingWindowMs, parallelizationFactor, batchSize } = mapping.mapping;
    const lanesRecords = batchingWindowMs === 0 ? 0 : parallelizationFactor * batchSize;
    const recordsMax = Math.max(shardWindowRecords, lanesRecords);
    let slack = 0;
    for (const { largestBytes } of this.#ofReader.values()) slack += largestBytes;
    const isOver = () => this.#bytes > mappingBudgetBytes + slack || pages.held > recordsMax + readRecords;
    if (!isOver()) return;
    this.#forgetAged(event.at, ledger);
    if (!isOver()) return;
    const bytes = `${this.#bytes} bytes of a budget of ${mappingBudgetBytes}`;
    report(
      event.at,
      `${event.process.owner} holds ${bytes}, ${pages.held} records of ${event.shard.shardId}`,
    );
  }

  /** Nobody sees which records are given up for their age without a destination: all that may be are taken for it. */
  #forgetAged(at: number, ledger: Ledger): void {
    for (const { records } of this.#ofReader.values()) {
      this.settle(records.filter((record) => (ledger.agedAt[record.id] ?? 0) <= at));
    }
  }

  close(readerId: number): void {
    const pages = this.#ofReader.get(readerId);
    if (pages === undefined) return;
    this.settle(pages.records.filter((record) => this.#pagesOf[record.id] === pages));
    this.#ofReader.delete(readerId);
  }

  settle(records: readonly SimRecord[]): void {
    for (const record of records) {
      const pages = this.#pagesOf[record.id];
      if (pages === undefined) continue;
      this.#pagesOf[record.id] = undefined;
      pages.held--;
      this.#bytes -= record.bytes;
    }
  }
}

function isNever({ history, mapping }: Trial, record: SimRecord): boolean {
  return isOversized(history, mapping, record) || isUnmade(mapping, record);
}
