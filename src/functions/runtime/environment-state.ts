/**
 * The life of one execution environment as a function of values (invocation §3.2, §4): a folder, and one process at a
 * time that speaks the Runtime API. Whoever drives it does what the effects say, in their order.
 */

export type EnvironmentState =
  /** No process runs. One that was here may have left files. */
  | { readonly name: "new" }
  /** A process starts. `isLate`: it has had its ten seconds, or a call, `id`, waits for it, and its time runs. */
  | { readonly name: "init"; readonly isLate: boolean; readonly id: string | undefined }
  /** It has asked for the next event, and waits. */
  | { readonly name: "idle" }
  /** It waited, and hung up. */
  | { readonly name: "away" }
  /**
   * `answer`: it is being read; `ended`: meanwhile the process has ended; `broken`: whoever called has the beginning of
   * it, and there will be no more.
   */
  | { readonly name: "busy"; readonly id: string; readonly answer: "none" | "read" | "ended" | "broken" }
  /** It has answered, and has not asked for the next event yet. */
  | { readonly name: "answered"; readonly id: string }
  /** What is left of the process is killed. */
  | { readonly name: "resetting"; readonly into: "new" | "gone" }
  /** Something of it did not die. */
  | { readonly name: "abandoned" }
  | { readonly name: "gone" };

export type EnvironmentSignal =
  /** The pool wants a process; `take`: it has a call for it. */
  | { readonly kind: "start" }
  | { readonly kind: "take"; readonly id: string }
  /** Calls of the Runtime API; an answer when it begins, when it is there, and when it broke off. */
  | { readonly kind: "next" }
  | { readonly kind: "answer"; readonly id: string }
  | { readonly kind: "answerRead" }
  | { readonly kind: "answerBroken"; readonly isStreamed: boolean }
  | { readonly kind: "initError" }
  | { readonly kind: "hungUp" }
  /** The process. */
  | { readonly kind: "exit" }
  | { readonly kind: "groupGone" }
  /** Timers. */
  | { readonly kind: "initLate" }
  | { readonly kind: "timeout" }
  | { readonly kind: "awayTooLong" }
  | { readonly kind: "undying" }
  /** Whoever called has given up. */
  | { readonly kind: "abandon" }
  /** It is no longer wanted: kindly, when it rests, and whatever it does. */
  | { readonly kind: "retire" }
  | { readonly kind: "close" };

export type EnvironmentEffect =
  | "launch"
  | "holdNext"
  | "handOut"
  /** The call has its outcome. */
  | "settleAnswer"
  | "settleBroken"
  | "settleExit"
  | "settleInitError"
  | "settleTimeout"
  | "settleAbandoned"
  /** Nobody's call is lost with it. */
  | "startFailed"
  /** It can take a call. */
  | "free"
  | "late"
  | "away"
  | "terminate"
  | "kill"
  | "lose"
  | "remove";

/** What the Runtime API answers: 403 to what its state does not allow, 400 to an id that is not the current one. */
export type Verdict = "done" | "notAllowed" | "wrongId";

export interface Transition {
  readonly state: EnvironmentState;
  readonly verdict: Verdict;
  readonly effects: readonly EnvironmentEffect[];
}

const NEW: EnvironmentState = { name: "new" };
const IDLE: EnvironmentState = { name: "idle" };
const GONE: EnvironmentState = { name: "gone" };
const KEPT: EnvironmentState = { name: "resetting", into: "new" };
const ENDING: EnvironmentState = { name: "resetting", into: "gone" };
const LATE: EnvironmentState = { name: "init", isLate: true, id: undefined };
const NONE: readonly EnvironmentEffect[] = [];

export function transition(state: EnvironmentState, signal: EnvironmentSignal): Transition {
  switch (state.name) {
    case "new":
      return ofNew(state, signal);
    case "init":
      return ofInit(state, signal);
    case "idle":
    case "away":
      return ofResting(state, signal);
    case "busy":
      return ofBusy(state, signal);
    case "answered":
      return ofAnswered(state, signal);
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
  switch (signal.kind) {
    case "next":
      if (id === undefined) return to(IDLE, "holdNext", "free");
      return to({ name: "busy", id, answer: "none" }, "holdNext", "handOut");
    case "take":
      return to({ name: "init", isLate: true, id: signal.id });
    case "initLate":
      return isLate ? ignored(state) : to(LATE, "late");
    case "initError":
      return id === undefined ? to(ENDING, "startFailed", "kill") : to(KEPT, "settleInitError", "kill");
    case "exit":
      return id === undefined ? to(ENDING, "startFailed", "kill") : to(KEPT, "settleExit", "kill");
    case "timeout":
      return id === undefined ? ignored(state) : to(KEPT, "settleTimeout", "kill");
    case "abandon":
      return id === undefined ? ignored(state) : to(KEPT, "settleAbandoned", "kill");
    case "retire":
      return id === undefined ? to(ENDING, "terminate") : ignored(state);
    case "close":
      return id === undefined ? to(ENDING, "kill") : to(ENDING, "settleAbandoned", "kill");
    default:
      return refused(state, signal);
  }
}

function ofResting(state: EnvironmentState, signal: EnvironmentSignal): Transition {
  const isHeld = state.name === "idle";
  switch (signal.kind) {
    case "take":
      return isHeld ? to({ name: "busy", id: signal.id, answer: "none" }, "handOut") : ignored(state);
    case "next":
      return isHeld ? refused(state, signal) : to(IDLE, "holdNext", "free");
    case "hungUp":
      return isHeld ? to({ name: "away" }, "away") : ignored(state);
    case "awayTooLong":
      return isHeld ? ignored(state) : to(ENDING, "kill");
    case "exit":
      return to(ENDING, "kill");
    case "retire":
    case "close":
      return to(ENDING, "terminate");
    default:
      return refused(state, signal);
  }
}

function ofBusy(state: EnvironmentState & { readonly name: "busy" }, signal: EnvironmentSignal): Transition {
  const { id, answer } = state;
  switch (signal.kind) {
    case "answer":
      // plant: an-answer-to-a-foreign-id-is-taken
      if (answer !== "none" || signal.id !== id) return wrongId(state);
      return to({ name: "busy", id, answer: "read" });
    case "answerRead":
      if (answer === "none" || answer === "broken") return ignored(state);
      return answer === "read"
        ? to({ name: "answered", id }, "settleAnswer")
        : to(KEPT, "settleAnswer", "kill");
    case "answerBroken":
      if (answer === "ended") return to(KEPT, "settleExit", "kill");
      if (answer !== "read") return ignored(state);
      // plant: an-answer-that-broke-off-is-begun-again
      return to({ name: "busy", id, answer: signal.isStreamed ? "broken" : "none" });
    case "next":
      return answer === "broken" ? to(IDLE, "settleBroken", "holdNext", "free") : ignored(state);
    case "exit":
      // It may have said all of its answer before it ended.
      if (answer === "read") return to({ name: "busy", id, answer: "ended" });
      return answer === "ended" ? ignored(state) : to(KEPT, "settleExit", "kill");
    case "timeout":
      return to(KEPT, "settleTimeout", "kill");
    case "abandon":
      return to(KEPT, "settleAbandoned", "kill");
    case "close":
      return to(ENDING, "settleAbandoned", "kill");
    default:
      return refused(state, signal);
  }
}

function ofAnswered(state: EnvironmentState, signal: EnvironmentSignal): Transition {
  switch (signal.kind) {
    case "next":
      return to(IDLE, "holdNext", "free");
    case "exit":
    case "timeout":
      return to(KEPT, "kill");
    case "close":
      return to(ENDING, "kill");
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

function to(state: EnvironmentState, ...effects: readonly EnvironmentEffect[]): Transition {
  return { state, verdict: "done", effects };
}

function ignored(state: EnvironmentState): Transition {
  return { state, verdict: "notAllowed", effects: NONE };
}

/** An id is looked at before any state. */
function refused(state: EnvironmentState, signal: EnvironmentSignal): Transition {
  return signal.kind === "answer" ? wrongId(state) : ignored(state);
}

function wrongId(state: EnvironmentState): Transition {
  return { state, verdict: "wrongId", effects: NONE };
}
