import { MillraceError } from "../../../src/model/errors.ts";
import type { FailureRecord } from "../../../src/model/failure-record.ts";
import type { Position } from "../../../src/model/record.ts";
import type { Destination } from "../../../src/ports/destination.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { isUnmade, type MappingHistory } from "../history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { SimPayload } from "./events.ts";
import type { FaultDesk } from "./fault-desk.ts";
import { indexAtOrAfter, startIndex } from "./log.ts";
import type { SimProcess } from "./process.ts";
import type { SimRecord, SimShard } from "./stream.ts";

export interface DestinationOptions {
  readonly process: SimProcess;
  readonly time: VirtualTime;
  readonly faults: FaultDesk;
  readonly history: MappingHistory;
  accept?(record: FailureRecord): void;
}

export function createSimDestination(options: DestinationOptions): Destination {
  const { process, time, faults, history } = options;
  const { random } = process;
  return {
    deliver: (envelope, signal) => {
      const record = failureOf(envelope);
      let travelMs = 0.5 + 9.5 * random.next();
      if (faults.roll("destination slow", random)) travelMs += random.between(100, 5_000);
      const isUnavailable = faults.roll("destination unavailable", random);
      const isRefused = faults.roll("destination refused", random);
      const isLost = faults.roll("destination accepted, reply lost", random);
      const answered = (accepted: boolean, refused: boolean) => {
        const records = failedRecords(history, record);
        if (accepted) for (const each of records) acceptedOf(history).add(each);
        history.events.push({ kind: "delivered", at: time.now, process, record, records, accepted, refused });
      };
      return process.call({
        travelMs,
        replyMs: 0.5 + 9.5 * random.next(),
        signal,
        serve: () => {
          if (isUnavailable || faults.isOut("destination")) throw unavailable();
          if (isRefused) {
            answered(false, true);
            throw new MillraceError(
              "ERR_MILLRACE_DESTINATION_REJECTED",
              "The simulated destination refused.",
            );
          }
          answered(true, false);
          options.accept?.(record);
          if (isLost) throw unavailable();
        },
      });
    },
    close: () => Promise.resolve(),
  };
}

/** The records of a discarded batch: those of its event, and by their positions those that no event can hold. */
function failedRecords(history: MappingHistory, record: FailureRecord): readonly SimRecord[] {
  const payload = record.payload instanceof SimPayload ? record.payload : undefined;
  const held = payload?.records ?? [];
  const { shardId, records: range } = record.batch;
  if (range === undefined || held.length === range.count) return held;
  const leftOut = payload?.leftOut ?? [];
  if (held.length + leftOut.length === range.count) return [...held, ...leftOut];
  const log = held.at(-1)?.shard;
  const isHere = (each: SimRecord) => acceptedOf(history).has(each);
  const isOf = (between: readonly SimRecord[]) =>
    between[0]?.arrivalMs === range.firstArrivalMs && between.at(-1)?.arrivalMs === range.lastArrivalMs;
  // An event that holds others lacks those alone that cannot be encoded.
  const isLeftOut = (each: SimRecord) =>
    held.length === 0 ? isUnmade(history, each) : each.unmade === "event" && !held.includes(each);
  // Logs of one name use the same positions. Arrivals tell them apart, mostly; else it is the first that has records
  // which are not here yet.
  const found = history.stream.shards
    .filter((shard) => (log === undefined ? shard.shardId === shardId : shard === log))
    .map((shard) => recordsBetween(shard, range.startPosition, range.endPosition))
    .filter(isOf)
    .map((between) => between.filter(isLeftOut))
    .filter((unmade) => unmade.length > 0);
  const others = found.find((unmade) => !unmade.every(isHere)) ?? found[0] ?? [];
  // Records of other lanes stand between them: those of the same keys come first, and those that are not here yet.
  const keys = new Set(held.map(({ key }) => key));
  const rank = (each: SimRecord) => (keys.has(each.key) ? 0 : 2) + (isHere(each) ? 1 : 0);
  const likely = others.toSorted((a, b) => rank(a) - rank(b)).slice(0, range.count - held.length);
  return [...held, ...likely];
}

/** The records that a mapping's destination has accepted, from any process. */
function acceptedOf(history: MappingHistory): Set<SimRecord> {
  const known = accepted.get(history) ?? new Set();
  accepted.set(history, known);
  return known;
}

const accepted = new WeakMap<MappingHistory, Set<SimRecord>>();

function recordsBetween(shard: SimShard, from: Position, to: Position): readonly SimRecord[] {
  return shard.records.slice(indexAtOrAfter(shard, from), startIndex(shard, { kind: "after", position: to }));
}

function unavailable(): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    "The simulated destination did not answer.",
  );
}
