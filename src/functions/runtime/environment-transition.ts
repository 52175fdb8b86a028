import {
  ENDING,
  type Ending,
  type EnvironmentSignal,
  type EnvironmentState,
  ignored,
  KEPT,
  refused,
  settle,
  type Transition,
  to,
} from "./environment-state.ts";
import { FIRST_IDLE, firstBusy, ofUp } from "./up-transition.ts";

const NEW: EnvironmentState = { name: "new" };
const GONE: EnvironmentState = { name: "gone" };
const LATE: EnvironmentState = { name: "init", isLate: true, id: undefined };

/** `eventsMax`: so many events one process works on at once. */
export function transition(
  state: EnvironmentState,
  signal: EnvironmentSignal,
  eventsMax: number,
): Transition {
  switch (state.name) {
    case "new":
      return ofNew(state, signal);
    case "init":
      return ofInit(state, signal);
    case "idle":
    case "busy":
    case "answered":
    case "away":
      return ofUp(state, signal, eventsMax);
    case "resetting":
      return ofResetting(state, signal);
    case "abandoned":
      return signal.kind === "groupGone" ? to(GONE, "remove") : refused(state, signal);
    case "gone":
      return refused(state, signal);
  }
}

function ofNew(state: EnvironmentState, signal: EnvironmentSignal): Transition {
  switch (signal.kind) {
    case "start":
      return to({ name: "init", isLate: false, id: undefined }, "launch");
    case "retire":
    case "close":
      return to(GONE, "remove");
    default:
      return refused(state, signal);
  }
}

function ofInit(state: EnvironmentState & { readonly name: "init" }, signal: EnvironmentSignal): Transition {
  const { id, isLate } = state;
  const fail = (by: Ending) => (id === undefined ? ignored(state) : to(KEPT, settle(id, by), "kill"));
  switch (signal.kind) {
    case "next":
      if (id === undefined) return to(FIRST_IDLE, "holdNext", "free");
      return to(firstBusy(id), "holdNext", { handOut: id });
    case "take":
      return to({ name: "init", isLate: true, id: signal.id });
    case "initLate":
      return isLate ? ignored(state) : to(LATE, "late");
    case "initError":
      return id === undefined ? to(ENDING, "startFailed", "kill") : fail("initError");
    case "exit":
      return id === undefined ? to(ENDING, "startFailed", "kill") : fail("exit");
    case "timeout":
      return fail("timeout");
    case "abandon":
      return fail("abandoned");
    case "retire":
      return id === undefined ? to(ENDING, "terminate") : ignored(state);
    case "close":
      return id === undefined ? to(ENDING, "kill") : to(ENDING, settle(id, "abandoned"), "kill");
    default:
      return refused(state, signal);
  }
}

function ofResetting(
  state: EnvironmentState & { readonly name: "resetting" },
  signal: EnvironmentSignal,
): Transition {
  switch (signal.kind) {
    case "groupGone":
      return state.into === "new" ? to(NEW, "free") : to(GONE, "remove");
    case "undying":
      return to({ name: "abandoned" }, "lose");
    case "retire":
    case "close":
      return to(ENDING);
    default:
      return refused(state, signal);
  }
}
