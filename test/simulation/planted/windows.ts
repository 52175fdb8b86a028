import { bug, type PlantedBug } from "./planted-bug.ts";

/** Tumbling windows: their states, their ends, what of them a restart and an update keep. */
export const WINDOWS_BUGS: readonly PlantedBug[] = [
  bug("the state of a window is not handed on", ["windows"], {
    at: "the-state-of-a-window-is-not-handed-on",
    instead: "",
  }),
  bug("the state of a window does not survive a restart", ["windows"], {
    at: "the-state-of-a-window-does-not-survive-a-restart",
    instead: "this.stateJson = EMPTY_STATE;",
  }),
  bug("a window takes the first record of the next", ["windows"], {
    at: "a-window-takes-the-first-record-of-the-next",
    instead: "return known === undefined || known <= this.endMs + 20;",
  }),
  bug("a window's state passes through JavaScript's numbers", ["windows"], {
    at: "a-windows-state-passes-through-javascripts-numbers",
    instead: 'stateJson = JSON.stringify(JSON.parse(memberText(text, "state") ?? "null"));',
  }),
  bug("given-up last invocations of a window share one id", ["windows"], {
    at: "given-up-last-invocations-of-a-window-share-one-id",
    instead: "const which = [];",
  }),
  bug("what a window gives up tells its ends not apart", ["windows"], {
    at: "what-a-window-gives-up-tells-its-ends-not-apart",
    instead: 'if (segment.windowEnd !== "no") this.#keepWindowState(segment, undefined, []);',
  }),
  bug("an open window is resumed with the mapping's present length", ["windows"], {
    at: "an-open-window-is-resumed-with-the-mappings-present-length",
    instead: "return new OpenWindow(checkpoint, Math.max(LENGTH_MS_MIN, mappingLengthMs));",
  }),
  bug("an open window is forgotten when windows are switched off", ["windows"], {
    at: "an-open-window-is-forgotten-when-windows-are-switched-off",
    instead: "if (window !== undefined && context.mapping.tumblingWindowMs > 0) {",
  }),
  bug("a window's last invocation is as old as the window", ["windows"], {
    at: "a-windows-last-invocation-is-as-old-as-the-window",
    instead:
      "if (triedFromMs === undefined) return (this.#context.mapping.recordAgeMsMax ?? Number.POSITIVE_INFINITY) - this.#context.clock.now();",
  }),
];
