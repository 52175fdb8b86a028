import { laneOfKey } from "../../../src/engine/stream/lane-of-key.ts";
import { knownArrivalMs } from "../../../src/model/arrival.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import type { FailureRecord } from "../../../src/model/failure-record.ts";
import { KeySplit } from "../../../src/model/key-split.ts";
import type { Position } from "../../../src/model/record.ts";
import type { Destination } from "../../../src/ports/destination.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { type Delivered, isUnmade, type MappingHistory } from "../history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { SimPayload } from "./events.ts";
import type { FaultDesk } from "./fault-desk.ts";
import { indexAtOrAfter, startIndex } from "./log.ts";
import type { SimProcess } from "./process.ts";
import type { SimRecord, SimShard } from "./stream.ts";
import { UNCHANGED } from "./weights.ts";

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
        const records = failedRecords(history, process, record);
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
          return undefined;
        },
      });
    },
    close: () => Promise.resolve(),
  };
}

/** The records of a discarded batch: those of its event, and by their positions those that no event can hold. */
function failedRecords(
  history: MappingHistory,
  process: SimProcess,
  record: FailureRecord,
): readonly SimRecord[] {
  const payload = record.payload instanceof SimPayload ? record.payload : undefined;
  const held = payload?.records ?? [];
  const { shardId, records: range } = record.batch;
  if (range === undefined || held.length === range.count) return held;
  const isWithin = ({ place }: SimRecord) =>
    place >= Number(range.startPosition) && place <= Number(range.endPosition);
  const leftOut = payload?.leftOut.filter(isWithin) ?? [];
  // What was known to be without an event before is neither of the two.
  const certain = held.length + leftOut.length <= range.count ? [...held, ...leftOut] : held;
  const missing = range.count - certain.length;
  if (missing === 0) return certain;
  // Logs of one name use the same positions: a process reads one of them at a time.
  const read = history.events.findLast(
    (event) => event.kind === "readReturned" && event.process === process && event.shard.shardId === shardId,
  );
  if (read?.kind !== "readReturned") return certain;
  const between = recordsBetween(read.shard, range.startPosition, range.endPosition);
  if (between.length === range.count) return between;
  const before = acceptedBefore(history);
  const repeated = before.find((event) => event.record.id === record.id)?.records ?? [];
  if (repeated.length === range.count && certain.every((each) => repeated.includes(each))) return repeated;
  const unmade = between.filter(
    (each) => isUnmade(history, each) && !certain.includes(each) && mayBeGivenUp(each, record),
  );
  // The span of a batch may hold records of other lanes, and of the other side of its lane.
  const ends = [between[0], between.at(-1)].filter((each) => each !== undefined);
  const known = [...certain, ...ends];
  const groups = neighbourhoods(history, process)
    .filter((isNeighbour) => known.every((each) => known.every((other) => isNeighbour(each, other))))
    .map((isNeighbour) => unmade.filter((each) => known.every((other) => isNeighbour(each, other))));
  // Between its ends a batch leaves out only what was over before: that comes again where a crash has forgotten it.
  const over = new Set(before.flatMap((event) => event.records));
  const likely = [...groups.map((group) => group.filter((each) => !over.has(each))), ...groups];
  const own =
    likely.find(({ length }) => length === missing) ?? likely.find(({ length }) => length > missing);
  return [...certain, ...withEnds(own ?? unmade, ends).slice(0, missing)];
}

function acceptedBefore({ events }: MappingHistory): readonly Delivered[] {
  return events.filter((event) => event.kind === "delivered").filter(({ accepted }) => accepted);
}

/** The ends of the span are of the batch for certain. */
function withEnds(records: readonly SimRecord[], ends: readonly SimRecord[]): readonly SimRecord[] {
  const sure = new Set(ends.filter((each) => records.includes(each)));
  return [...sure, ...records.filter((each) => !sure.has(each))];
}

type Neighbourhood = (one: SimRecord, other: SimRecord) => boolean;

/** Who may share a batch, as its process has dealt keys out: the newest way first, since a batch is cut before. */
function neighbourhoods(
  { mapping, plan, views }: MappingHistory,
  process: SimProcess,
): readonly Neighbourhood[] {
  const sameLane: Neighbourhood = (one, other) =>
    laneOfKey(one.key, mapping.parallelizationFactor) === laneOfKey(other.key, mapping.parallelizationFactor);
  const splits = (views.get(process) ?? []).toReversed().map(({ index }) => {
    const { to, weight } = plan.weights?.[index] ?? UNCHANGED;
    if (weight === 0 || weight === 1 || mapping.tumblingWindowMs > 0) return undefined;
    return new KeySplit(new Map([[String(to), weight]]), mapping.uuid);
  });
  const sided = splits.map(
    (split): Neighbourhood =>
      (one, other) =>
        sameLane(one, other) && split?.sideOf(one.key) === split?.sideOf(other.key),
  );
  return [...sided, sameLane];
}

/** What the filter drops is not, nor for its age what has none. */
function mayBeGivenUp({ accepted, unmade, arrivalMs }: SimRecord, { condition }: FailureRecord): boolean {
  const passes = accepted || unmade !== "event";
  return passes && (condition !== "RecordAgeExceeded" || knownArrivalMs(arrivalMs) !== undefined);
}

function recordsBetween(shard: SimShard, from: Position, to: Position): readonly SimRecord[] {
  return shard.records.slice(indexAtOrAfter(shard, from), startIndex(shard, { kind: "after", position: to }));
}

function unavailable(): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    "The simulated destination did not answer.",
  );
}
