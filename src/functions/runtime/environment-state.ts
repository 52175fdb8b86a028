/**
 * The life of one execution environment as a function of values (invocation §3.2, §4): a folder, and one process
 * at a time that speaks the Runtime API and works on so many events at once as it may. Whoever drives it does what the
 * effects say, in their order.
 */

export interface RunningEvent {
  readonly id: string;
  /**
   * `read`: its answer is being read; `ended`: meanwhile the process has ended; `broken`: whoever called has the
   * beginning of it, and there will be no more.
   */
  readonly answer: "none" | "read" | "ended" | "broken";
  /** Whoever called has an outcome, and the process works on it still. */
  readonly isOver: boolean;
}

/** A process that has come up. */
export interface UpState {
  /**
   * `idle`: it waits for an event; `busy`: it works; `answered`: it has answered all, and has not asked for more yet;
   * `away`: it waited, and hung up.
   */
  readonly name: "idle" | "busy" | "answered" | "away";
  /** Events that it waits for. */
  readonly held: number;
  readonly events: readonly RunningEvent[];
  /** It gets no more, and when it has nothing to do it is reset, or ended. */
  readonly drain: "no" | "reset" | "end";
}

export type EnvironmentState =
  /** No process runs. One that was here may have left files. */
  | { readonly name: "new" }
  /** A process starts. `isLate`: it has had its ten seconds, or a call, `id`, waits for it, and its time runs. */
  | { readonly name: "init"; readonly isLate: boolean; readonly id: string | undefined }
  | UpState
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
  | { readonly kind: "answerRead"; readonly id: string }
  | { readonly kind: "answerBroken"; readonly id: string; readonly isStreamed: boolean }
  | { readonly kind: "initError" }
  | { readonly kind: "hungUp" }
  /** The process. */
  | { readonly kind: "exit" }
  | { readonly kind: "groupGone" }
  /** Timers. `timeout` of a call; without one, of a process that has answered all. */
  | { readonly kind: "initLate" }
  | { readonly kind: "timeout"; readonly id: string | undefined }
  | { readonly kind: "awayTooLong" }
  | { readonly kind: "undying" }
  /** Whoever called has given up. */
  | { readonly kind: "abandon"; readonly id: string }
  /** It is no longer wanted: kindly, when it rests, and whatever it does. */
  | { readonly kind: "retire" }
  | { readonly kind: "close" };

/** How a call comes to its outcome. */
export type Ending = "answer" | "broken" | "exit" | "initError" | "timeout" | "abandoned";

export type EnvironmentEffect =
  | "launch"
  | "holdNext"
  /** Nobody's call is lost with it. */
  | "startFailed"
  /** It can take a call. */
  | "free"
  /** It can take none any more. */
  | "unfree"
  | "late"
  | "away"
  | "terminate"
  | "kill"
  | "lose"
  | "remove"
  | { readonly handOut: string }
  /** The call has its outcome. */
  | { readonly settle: string; readonly by: Ending };

/** What the Runtime API answers: 403 to what its state does not allow, 400 to an id that is not a current one. */
export type Verdict = "done" | "notAllowed" | "wrongId";

export interface Transition {
  readonly state: EnvironmentState;
  readonly verdict: Verdict;
  readonly effects: readonly EnvironmentEffect[];
}

export const KEPT: EnvironmentState = { name: "resetting", into: "new" };
export const ENDING: EnvironmentState = { name: "resetting", into: "gone" };
const NONE: readonly EnvironmentEffect[] = [];

export function to(state: EnvironmentState, ...effects: readonly EnvironmentEffect[]): Transition {
  return { state, verdict: "done", effects };
}

export function ignored(state: EnvironmentState): Transition {
  return { state, verdict: "notAllowed", effects: NONE };
}

/** An id is looked at before any state. */
export function refused(state: EnvironmentState, signal: EnvironmentSignal): Transition {
  return signal.kind === "answer" ? wrongId(state) : ignored(state);
}

export function wrongId(state: EnvironmentState): Transition {
  return { state, verdict: "wrongId", effects: NONE };
}

export function settle(id: string, by: Ending): EnvironmentEffect {
  return { settle: id, by };
}
