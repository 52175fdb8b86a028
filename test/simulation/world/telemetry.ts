import type { LogFields, LogLevel, MarkName, Telemetry } from "../../../src/ports/telemetry.ts";
import type { MappingHistory } from "../history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { SimProcess } from "./process.ts";

export interface TelemetryOptions {
  readonly process: SimProcess;
  readonly time: VirtualTime;
  /** By the mapping's name. */
  readonly histories: ReadonlyMap<string, MappingHistory>;
  readonly marks: Map<string, number>;
  log(process: SimProcess, level: LogLevel, message: string, fields: LogFields): void;
}

/** What the engine says of itself. Only the counts of records given up are evidence; the rest serves the reader. */
export function createSimTelemetry(options: TelemetryOptions): Telemetry {
  const { process, time, histories, marks } = options;
  return {
    count(counter, mapping, amount) {
      if (counter !== "dropped_events" && counter !== "expired_events") return;
      const history = histories.get(mapping);
      if (history === undefined || process.state === "dead") return;
      if (counter === "dropped_events") history.dropsCounted += amount;
      else history.expiriesCounted += amount;
      history.events.push({ kind: "dropped", at: time.now, process, counter, amount });
    },
    observe() {},
    gauge() {},
    offsetLag() {},
    invocation() {},
    log(level, message, fields) {
      options.log(process, level, message, fields);
    },
    mark(name: MarkName) {
      marks.set(name, (marks.get(name) ?? 0) + 1);
    },
  };
}
