import { MillraceError } from "../../../src/model/errors.ts";
import type { FailureRecord } from "../../../src/model/failure-record.ts";
import type { Position } from "../../../src/model/record.ts";
import type { Destination } from "../../../src/ports/destination.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { isUnmade, type MappingHistory } from "../history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { SimPayload } from "./events.ts";
import type { FaultDesk } from "./fault-desk.ts";
import { comparePositions } from "./log.ts";
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
  const { stream, events } = history;
  const held = record.payload instanceof SimPayload ? record.payload.records : [];
  const { shardId, records: range } = record.batch;
  if (range === undefined || held.length === range.count) return held;
  const log = held.at(-1)?.shard;
  const isHere = (each: SimRecord) =>
    events.some((event) => event.kind === "delivered" && event.accepted && event.records.includes(each));
  // Logs of one name use the same positions: it is the first of them that has records which are not here yet.
  const found = stream.shards
    .filter((shard) => (log === undefined ? shard.shardId === shardId : shard === log))
    .map((shard) => recordsBetween(shard, range.startPosition, range.endPosition))
    .map((between) => between.filter((each) => isUnmade(history, each) && !held.includes(each)))
    .filter((unmade) => unmade.length > 0);
  const others = found.find((unmade) => !unmade.every(isHere)) ?? found[0] ?? [];
  return [...held, ...others.slice(0, range.count - held.length)];
}

function recordsBetween({ records }: SimShard, from: Position, to: Position): readonly SimRecord[] {
  return records.filter(
    ({ position }) => comparePositions(position, from) >= 0 && comparePositions(position, to) <= 0,
  );
}

function unavailable(): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    "The simulated destination did not answer.",
  );
}
