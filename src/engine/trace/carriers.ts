import type { StreamEvents } from "../../ports/stream-source.ts";
import type { BufferedRecord } from "../stream/buffered-record.ts";
import type { TraceCarriers } from "./batch-trace.ts";

export function carriersOf(events: StreamEvents, records: readonly BufferedRecord[]): TraceCarriers {
  return records.map(({ record }) => {
    try {
      return events.traceCarrier?.(record);
    } catch {
      // A trace is worth less than the record.
      return undefined;
    }
  });
}
