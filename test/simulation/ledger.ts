import { knownArrivalMs } from "../../src/model/arrival.ts";
import {
  type Attempt,
  type Delivered,
  type History,
  isOwed,
  isUnmade,
  type MappingHistory,
} from "./history.ts";
import { SIM_ENVELOPE_BYTES } from "./world/events.ts";
import type { SimProcess } from "./world/process.ts";
import { EPOCH_MS, type SimRecord } from "./world/stream.ts";

/** Room that an engine may keep for a window's members beside the state. */
const WINDOW_MEMBER_BYTES_MAX = 1_024;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * When each record of a mapping came to its end, by record id, in world milliseconds: what several checkers ask.
 * A record has ended when the function has processed it, the destination has accepted it, the policy allows to give it
 * up (that it was counted is I1's business), or the source has trimmed it.
 */
export interface Ledger {
  readonly processedAt: Float64Array;
  readonly acceptedAt: Float64Array;
  /** From then on the mapping's settings let the record be given up without a destination. */
  readonly droppableAt: Float64Array;
  /** It is parked, durably: not over, and no checkpoint has to wait for it. */
  readonly securedAt: Float64Array;
  readonly trimmedAt: Float64Array;
  /** The earliest of these. Records that are not owed have ended before all time. */
  readonly endedAt: Float64Array;
  /** Id of the owed record before it with the same shard and key; -1 when there is none. */
  readonly predecessor: Int32Array;
  /** When every earlier owed record of the same shard and key has ended. */
  readonly predecessorsEndedAt: Float64Array;
  /** The record's age has run out, by the source's time, or the source has trimmed it. */
  readonly agedAt: Float64Array;
}

export function createLedger(history: History, mapping: MappingHistory): Ledger {
  const count = mapping.stream.records.length;
  const times = () => new Float64Array(count).fill(NEVER);
  const ledger: Ledger = {
    processedAt: times(),
    acceptedAt: times(),
    droppableAt: times(),
    securedAt: times(),
    trimmedAt: times(),
    endedAt: times(),
    predecessor: new Int32Array(count).fill(-1),
    predecessorsEndedAt: new Float64Array(count).fill(Number.NEGATIVE_INFINITY),
    agedAt: times(),
  };
  fillAges(ledger, mapping);
  fillTrims(ledger, mapping);
  fillOutcomes(ledger, history, mapping);
  fillEnds(ledger, mapping);
  return ledger;
}

/**
 * How much faster than the source's a process's monotonic clock may run (`scenario.ts`), of the age that it measures.
 */
const DRIFT_SHARE = 0.0011;

/** By the source's own time: no wall clock of a process has a say. A record whose arrival nobody knows has no age. */
function fillAges(ledger: Ledger, { mapping, stream }: MappingHistory): void {
  const { recordAgeMsMax, onFailureDestination } = mapping;
  if (recordAgeMsMax === undefined) return;
  for (const record of stream.records) {
    if (knownArrivalMs(record.arrivalMs) === undefined) continue;
    const agedAt = record.arrivedMs - EPOCH_MS + recordAgeMsMax * (1 - DRIFT_SHARE) - 1;
    ledger.agedAt[record.id] = agedAt;
    // A destination gets what grew too old.
    if (onFailureDestination === undefined) ledger.droppableAt[record.id] = agedAt;
  }
}

function fillTrims(ledger: Ledger, { stream }: MappingHistory): void {
  const keptOf = new Map(stream.shards.map(({ before }) => [before?.log, before?.kept]));
  for (const shard of stream.shards) {
    const { records, trimmedAt, goneAt } = shard;
    const gone = goneAt === undefined ? [] : records.slice(keptOf.get(shard) ?? 0);
    for (const record of gone) endAtSource(ledger, record, goneAt);
    for (const [index, at] of trimmedAt.entries()) endAtSource(ledger, records[index], at);
  }
}

/** Trimmed, or gone with the log that held it. */
function endAtSource(ledger: Ledger, record: SimRecord | undefined, at = NEVER): void {
  lower(ledger.trimmedAt, record, at);
  lower(ledger.agedAt, record, at);
}

function fillOutcomes(ledger: Ledger, history: History, mapping: MappingHistory): void {
  const attemptsMax = (mapping.mapping.retryAttemptsMax ?? NEVER) + 1;
  const hasDestination = mapping.mapping.onFailureDestination !== undefined;
  const counted = new AttemptCounts(mapping);
  if (!hasDestination) dropUnmade(ledger, mapping);
  if (!hasDestination && (attemptsMax !== NEVER || mapping.isTopic)) dropOversized(ledger, history, mapping);
  for (const event of mapping.events) {
    if (event.kind === "attemptRan") {
      for (const record of event.attempt.processed) lower(ledger.processedAt, record, event.at);
    } else if (event.kind === "attemptTold") {
      if (!event.attempt.toldCounts) counted.noteSplit(event.attempt);
      if (hasDestination || !event.attempt.toldCounts || counted.add(event.attempt) < attemptsMax) continue;
      for (const record of event.attempt.records) lower(ledger.droppableAt, record, event.at);
    } else if (event.kind === "delivered") {
      fillDelivery(ledger, event);
    } else if (event.kind === "secured") {
      for (const record of event.records) lower(ledger.securedAt, record, event.at);
    }
  }
}

function fillDelivery(ledger: Ledger, event: Delivered): void {
  for (const record of event.records) {
    if (event.accepted) lower(ledger.acceptedAt, record, event.at);
    if (event.refused) lower(ledger.droppableAt, record, event.at);
  }
}

/** No attempt is seen of a record that no function can have: it is given up at once (I23). */
function dropUnmade(ledger: Ledger, mapping: MappingHistory): void {
  for (const record of mapping.stream.records) {
    if (isUnmade(mapping, record)) lower(ledger.droppableAt, record, record.arrivedMs - EPOCH_MS);
  }
}

/** No attempt is seen of a record that no event can hold (streams §3.6). */
function dropOversized(ledger: Ledger, history: History, mapping: MappingHistory): void {
  for (const record of mapping.stream.records) {
    if (isOversized(history, mapping, record)) lower(ledger.droppableAt, record, record.arrivedMs - EPOCH_MS);
  }
}

/** With a tumbling window the event also holds the state: such records may or may not fit. */
export function isOversized({ scenario }: History, { mapping }: MappingHistory, record: SimRecord): boolean {
  const { payloadBytesMax, windowStateBytesMax } = scenario.settings;
  const windowBytes = mapping.tumblingWindowMs > 0 ? windowStateBytesMax + WINDOW_MEMBER_BYTES_MAX : 0;
  return record.encodedBytes + SIM_ENVELOPE_BYTES + windowBytes > payloadBytesMax;
}

function lower(times: Float64Array, record: SimRecord | undefined, at: number): void {
  if (record !== undefined && at < (times[record.id] ?? NEVER)) times[record.id] = at;
}

function fillEnds(ledger: Ledger, history: MappingHistory): void {
  const { processedAt, acceptedAt, droppableAt, trimmedAt, endedAt } = ledger;
  const last = new Map<string, number>();
  for (const shard of history.stream.shards) {
    last.clear();
    for (const record of shard.records) {
      const { id, key } = record;
      if (!isOwed(history, record)) {
        endedAt[id] = Number.NEGATIVE_INFINITY;
        continue;
      }
      const ended = Math.min(
        processedAt[id] ?? NEVER,
        acceptedAt[id] ?? NEVER,
        droppableAt[id] ?? NEVER,
        trimmedAt[id] ?? NEVER,
      );
      endedAt[id] = ended;
      const before = last.get(key);
      if (before !== undefined) {
        ledger.predecessor[id] = before;
        ledger.predecessorsEndedAt[id] = Math.max(
          ledger.predecessorsEndedAt[before] ?? NEVER,
          endedAt[before] ?? NEVER,
        );
      }
      last.set(key, id);
    }
  }
}

/**
 * Counted attempts of a process. A batch keeps its request id over its plain retries (streams §5.1), so that it is what
 * attempts are counted by. Only when records that grew too old are cut out, or the batch is split since its size was
 * refused, does the rest go on under another id with what is left of its budget: there each record is counted on its
 * own.
 */
export class AttemptCounts {
  readonly #isByRecord: boolean;
  readonly #byProcess = new Map<SimProcess, Map<string | number, number>>();
  /**
   * Records of batches that were split since their size was refused: the parts go on with what is left of the budget.
   */
  readonly #split = new Set<number>();

  constructor({ mapping, stream }: MappingHistory) {
    this.#isByRecord = mapping.recordAgeMsMax !== undefined || stream.canExpire;
  }

  /** Counts one more and gives the count that the batch now has. */
  add({ process, requestId, records }: Attempt): number {
    const counts = this.#byProcess.get(process) ?? new Map<string | number, number>();
    this.#byProcess.set(process, counts);
    for (const { id } of records) counts.set(id, (counts.get(id) ?? 0) + 1);
    counts.set(requestId, (counts.get(requestId) ?? 0) + 1);
    return this.ofBatch(process, requestId, records);
  }

  /** An attempt that counts for nothing may split its batch. */
  noteSplit({ told, records }: Attempt): void {
    if (told === "payloadTooLarge") for (const { id } of records) this.#split.add(id);
  }

  /** Attempts under one request id. */
  ofRequest(process: SimProcess, requestId: string): number {
    return this.#byProcess.get(process)?.get(requestId) ?? 0;
  }

  /** Attempts that may count against the batch: those of its request, or where ids change those of each record. */
  ofBatch(process: SimProcess, requestId: string, records: readonly SimRecord[]): number {
    const isByRecord = this.#isByRecord || records.some(({ id }) => this.#split.has(id));
    if (!isByRecord || records.length === 0) return this.ofRequest(process, requestId);
    const counts = this.#byProcess.get(process);
    return Math.min(...records.map(({ id }) => counts?.get(id) ?? 0));
  }
}
