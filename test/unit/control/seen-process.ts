import type { WholeView } from "../../../src/control/whole-view.ts";
import { COUNTERS, type CounterName } from "../../../src/ports/telemetry.ts";

/** A process that runs one mapping, `a`, and has read so many records. */
export function seenProcess(processId: string, atMs: number, read: number): WholeView["processes"][number] {
  const counters = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0])) as Record<
    CounterName,
    number
  >;
  return {
    isHere: true,
    standing: "lives",
    ageMs: 0,
    snapshot: {
      form: 1,
      processId,
      beatsAs: processId,
      startedMs: 0,
      atMs,
      isEnded: false,
      mappingsLeftOut: 0,
      mappings: [
        {
          uuid: "a",
          name: "a",
          source: "s",
          functionName: "f",
          state: "Enabled",
          lastProcessingResult: "OK",
          oldestAgeMs: 0,
          caughtUp: true,
          counters: { ...counters, polled_events: read },
          invocations: 0,
          shards: 1,
          shardsLeftOut: 0,
          parts: [],
          partsLeftOut: 0,
          errors: { errors: [], leftOut: 0 },
        },
      ],
    },
  };
}
