import { bug, INVOKE, type PlantedBug, STREAM } from "./planted-bug.ts";

/** Tumbling windows: their states, their ends, what of them a restart and an update keep. */
export const WINDOWS_BUGS: readonly PlantedBug[] = [
  bug("the state of a window is not handed on", ["windows"], {
    file: `${STREAM}/tumbling-window.ts`,
    find: "this.stateJson = stateJson ?? this.stateJson;",
    replace: "",
  }),
  bug("the state of a window does not survive a restart", ["windows"], {
    file: `${STREAM}/tumbling-window.ts`,
    find: "this.stateJson = checkpoint.stateJson;",
    replace: "this.stateJson = EMPTY_STATE;",
  }),
  bug("a window takes the first record of the next", ["windows"], {
    file: `${STREAM}/tumbling-window.ts`,
    find: "known < this.endMs;",
    replace: "known <= this.endMs + 20;",
  }),
  bug("a window's state passes through JavaScript's numbers", ["windows"], {
    file: `${INVOKE}/response.ts`,
    find: 'stateJson = memberText(text, "state");',
    replace: 'stateJson = JSON.stringify(JSON.parse(memberText(text, "state") ?? "null"));',
  }),
  bug("given-up last invocations of a window share one id", ["windows"], {
    file: `${STREAM}/tumbling-window.ts`,
    find: '[end, this.#earlyEnds, this.#lastPosition ?? "nothing"]',
    replace: "[]",
  }),
  bug("an open window is resumed with the mapping's present length", ["windows"], {
    file: `${STREAM}/tumbling-window.ts`,
    find: "checkpoint.lengthMs ?? Math.max(LENGTH_MS_MIN, mappingLengthMs)",
    replace: "Math.max(LENGTH_MS_MIN, mappingLengthMs)",
  }),
  bug("an open window is forgotten when windows are switched off", ["windows"], {
    file: `${STREAM}/lane.ts`,
    find: "if (window !== undefined) {\n      this.#window",
    replace: "if (window !== undefined && context.mapping.tumblingWindowMs > 0) {\n      this.#window",
  }),
  bug("a window's last invocation is as old as the window", ["windows"], {
    file: `${STREAM}/batch-run.ts`,
    find: "if (triedFromMs === undefined) return Number.POSITIVE_INFINITY;",
    replace:
      "if (triedFromMs === undefined) return (this.#window?.startMs ?? 0) + (this.#context.mapping.recordAgeMsMax ?? Number.POSITIVE_INFINITY) - this.#context.clock.now();",
  }),
];
