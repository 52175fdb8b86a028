import type { LogFields, LogLevel, MarkName, Telemetry } from "../../../src/ports/telemetry.ts";
import type { MappingHistory } from "../history.ts";
import { type QueueHistory, QueueWords } from "../queue-history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { SimProcess } from "./process.ts";

export interface TelemetryOptions {
  readonly process: SimProcess;
  readonly time: VirtualTime;
  /** By the mapping's name. */
  readonly histories: ReadonlyMap<string, MappingHistory>;
  readonly queues: ReadonlyMap<string, QueueHistory>;
  readonly marks: Map<string, number>;
  log(process: SimProcess, level: LogLevel, message: string, fields: LogFields): void;
}

/** What the engine says of itself. Only the counts of records given up are evidence; the rest serves the reader. */
export function createSimTelemetry(options: TelemetryOptions): Telemetry {
  const { process, time, histories, queues, marks } = options;
  return {
    count(counter, mapping, amount) {
      if (process.state === "dead") return;
      const queue = queues.get(mapping);
      if (queue !== undefined) queueWords(queue, process).count(counter, amount);
      if (counter !== "dropped_events" && counter !== "expired_events" && counter !== "changed_logs") return;
      const history = histories.get(mapping);
      if (history === undefined) return;
      if (counter === "changed_logs") {
        history.changesTold += amount;
        return;
      }
      if (counter === "dropped_events") history.dropsCounted += amount;
      else history.expiriesCounted += amount;
      history.events.push({ kind: "dropped", at: time.now, process, counter, amount });
    },
    observe() {},
    gauge(name, mapping, value) {
      const queue = queues.get(mapping);
      if (queue !== undefined && process.state !== "dead") queueWords(queue, process).gauges.set(name, value);
    },
    offsetLag() {},
    invocation() {},
    functionCall() {},
    functionRunning() {},
    functionGrant() {},
    asyncCount() {},
    asyncAge() {},
    log(level, message, fields) {
      options.log(process, level, message, fields);
    },
    logsDebug: false,
    mark(name: MarkName) {
      marks.set(name, (marks.get(name) ?? 0) + 1);
      if (name === "drain deadline passed") process.drainsPassed.push(time.now);
    },
  };
}

function queueWords({ words }: QueueHistory, process: SimProcess): QueueWords {
  const known = words.get(process);
  if (known !== undefined) return known;
  const made = new QueueWords();
  words.set(process, made);
  return made;
}
