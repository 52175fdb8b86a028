import { MillraceError } from "../../../src/model/errors.ts";
import type { FailureRecord } from "../../../src/model/failure-record.ts";
import type { Destination } from "../../../src/ports/destination.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import type { MappingHistory } from "../history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { SimPayload } from "./events.ts";
import type { FaultDesk } from "./fault-desk.ts";
import type { SimProcess } from "./process.ts";
import { indexAtOrAfter, type SimRecord, type SimStream } from "./stream.ts";

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
        const records = failedRecords(history.stream, record);
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

/** The records of a discarded batch: from its event; a batch of one can also be found by its position. */
function failedRecords(stream: SimStream, record: FailureRecord): readonly SimRecord[] {
  if (record.payload instanceof SimPayload) return record.payload.records;
  const shard = stream.shard(record.batch.shardId);
  const range = record.batch.records;
  if (shard === undefined || range === undefined) return [];
  const from = indexAtOrAfter(shard, range.startPosition);
  return shard.records.slice(from, range.count === 1 ? from + 1 : from);
}

function unavailable(): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    "The simulated destination did not answer.",
  );
}
