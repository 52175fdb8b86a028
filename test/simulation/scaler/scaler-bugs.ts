import type { Patch } from "../planted/planted-bug.ts";
import type { SmallBug } from "../small/seed-thread.ts";

/** Bugs of the scaler's rule that its simulation must see. */
export const SCALER_BUGS: readonly SmallBug[] = [
  bug("zero comes with the first look that sees nothing", {
    at: "zero-comes-with-the-first-look-that-sees-nothing",
    instead: "const isQuiet = true;",
  }),
  bug("what was seen long ago is gone by", {
    at: "what-was-seen-long-ago-is-gone-by",
    instead: "if (nowMs - this.#seenMs > 1e15)",
  }),
  bug("what is parked wakes nobody", { at: "what-is-parked-wakes-nobody", instead: "" }),
  bug("what processes hold keeps nobody", { at: "what-processes-hold-keeps-nobody", instead: "" }),
  bug("a schedule counts once it is late", {
    at: "a-schedule-counts-once-it-is-late",
    instead: "const due = demand.ticks.filter(({ dueMs }) => dueMs + 60_000 <= nowMs);",
  }),
];

function bug(name: string, ...patches: readonly Patch[]): SmallBug {
  return { name, breaks: ["I46"], patches };
}
