import {
  ENDING,
  type Ending,
  type EnvironmentEffect,
  type EnvironmentSignal,
  ignored,
  KEPT,
  type RunningEvent,
  refused,
  settle,
  type Transition,
  to,
  type UpState,
  wrongId,
} from "./environment-state.ts";

type Signal<Kind extends EnvironmentSignal["kind"]> = Extract<EnvironmentSignal, { readonly kind: Kind }>;

/** A process that waits for its first event. */
export const FIRST_IDLE: UpState = { name: "idle", held: 1, events: [], drain: "no" };

/** A process that works on its first event. */
export function firstBusy(id: string): UpState {
  return up(FIRST_IDLE, 0, [running(id)]);
}

/** The part of `transition` for a process that has come up. */
export function ofUp(state: UpState, signal: EnvironmentSignal, eventsMax: number): Transition {
  switch (signal.kind) {
    case "take":
      return taken(state, signal);
    case "next":
      return asked(state, eventsMax);
    case "answer":
      return begun(state, signal);
    case "answerRead":
      return answered(state, signal);
    case "answerBroken":
      return broken(state, signal);
    case "hungUp":
      return hungUp(state);
    case "exit":
      return exited(state);
    case "timeout":
      // plant: a-timer-without-a-call-ends-any
      if (signal.id === undefined) return state.name === "answered" ? to(KEPT, "kill") : ignored(state);
      return givenUp(state, signal.id, "timeout");
    case "abandon":
      return givenUp(state, signal.id, "abandoned");
    case "awayTooLong":
      return state.name === "away" ? to(ENDING, "kill") : ignored(state);
    case "retire":
      if (state.name === "answered") return ignored(state);
      return state.events.length === 0 ? to(ENDING, "terminate") : to({ ...state, drain: "end" }, "unfree");
    case "close":
      return to(ENDING, ...settleAll(state, "abandoned"), isResting(state) ? "terminate" : "kill");
    default:
      return refused(state, signal);
  }
}

function taken(state: UpState, { id }: Signal<"take">): Transition {
  const { held, events, drain } = state;
  if (held === 0 || drain !== "no") return ignored(state);
  return to(up(state, held - 1, [...events, running(id)]), { handOut: id });
}

/** It asks for one more; where an answer broke off, that call gets no more of it. */
function asked(state: UpState, eventsMax: number): Transition {
  const { held, events, drain } = state;
  const lost = events.find(({ answer }) => answer === "broken");
  // plant: a-process-is-given-more-events-than-it-may-have
  if (lost === undefined && held + events.length >= eventsMax) return refused(state, { kind: "next" });
  const left = lost === undefined ? events : events.filter((event) => event !== lost);
  const effects: EnvironmentEffect[] = [...(lost === undefined ? [] : endOf(lost, "broken")), "holdNext"];
  if (drain !== "no") return drained(up(state, held + 1, left), ...effects);
  if (held === 0) effects.push("free");
  return to(up(state, held + 1, left), ...effects);
}

function begun(state: UpState, { id }: Signal<"answer">): Transition {
  // plant: an-answer-to-a-foreign-id-is-taken
  const event = state.events.find((each) => each.id === id);
  if (event === undefined || event.answer !== "none") return wrongId(state);
  return to(up(state, state.held, changed(state, event, "read")));
}

function answered(state: UpState, { id }: Signal<"answerRead">): Transition {
  const event = state.events.find((each) => each.id === id);
  if (event === undefined || event.answer === "none" || event.answer === "broken") return ignored(state);
  return over(state, event, "answer");
}

function broken(state: UpState, { id, isStreamed }: Signal<"answerBroken">): Transition {
  const event = state.events.find((each) => each.id === id);
  if (event?.answer === "ended") return over(state, event, "exit");
  if (event?.answer !== "read") return ignored(state);
  // plant: an-answer-that-broke-off-is-begun-again
  return to(up(state, state.held, changed(state, event, isStreamed ? "broken" : "none")));
}

function hungUp(state: UpState): Transition {
  if (state.held === 0) return ignored(state);
  const left = up(state, state.held - 1, state.events);
  if (left.name === "answered") return to({ ...left, name: "away" }, "away");
  return left.held === 0 ? to(left, "unfree") : to(left);
}

/** It may have said all of an answer before it ended. */
function exited(state: UpState): Transition {
  const { name, events } = state;
  if (events.length === 0) return to(name === "answered" ? KEPT : ENDING, "kill");
  const read = events.filter(({ answer }) => answer === "read" || answer === "ended");
  const lost = events.filter((event) => !read.includes(event)).flatMap((event) => endOf(event, "exit"));
  const { drain } = state;
  if (read.length === 0) return to(drain === "end" ? ENDING : KEPT, ...lost, "kill");
  const left = read.map((event) => ({ ...event, answer: "ended" as const }));
  return to({ ...up(state, 0, left), drain: drain === "end" ? "end" : "reset" }, ...lost, "unfree");
}

/** Nobody waits for it any more. Its neighbours go on; then the process, which works on it still, is ended. */
function givenUp(state: UpState, id: string, by: Ending): Transition {
  const event = state.events.find((each) => each.id === id);
  if (event === undefined || event.isOver) return ignored(state);
  const events = state.events.map((each) => (each === event ? { ...each, isOver: true } : each));
  const drain = state.drain === "end" ? "end" : "reset";
  return drained({ ...up(state, state.held, events), drain }, settle(id, by));
}

function over(state: UpState, event: RunningEvent, by: Ending): Transition {
  const left = up(
    state,
    state.held,
    state.events.filter((each) => each !== event),
  );
  const hasExited = event.answer === "ended" && left.events.length === 0;
  if (hasExited) return to(state.drain === "end" ? ENDING : KEPT, ...endOf(event, by), "kill");
  return drained(left, ...endOf(event, by));
}

/** What is drained is ended when nobody waits for anything of it any more. */
function drained(state: UpState, ...effects: readonly EnvironmentEffect[]): Transition {
  if (state.drain === "no") return to(state, ...effects);
  // plant: a-timeout-ends-its-neighbours
  if (state.events.some(({ isOver }) => !isOver)) return to(state, ...effects, "unfree");
  if (state.drain === "reset") return to(KEPT, ...effects, "kill");
  return to(ENDING, ...effects, state.events.length === 0 ? "terminate" : "kill");
}

function up(state: UpState, held: number, events: readonly RunningEvent[]): UpState {
  const name = events.length > 0 ? "busy" : held > 0 ? "idle" : "answered";
  return { name, held, events, drain: state.drain };
}

function running(id: string): RunningEvent {
  return { id, answer: "none", isOver: false };
}

function changed(
  { events }: UpState,
  event: RunningEvent,
  answer: RunningEvent["answer"],
): readonly RunningEvent[] {
  return events.map((each) => (each === event ? { ...each, answer } : each));
}

function isResting({ name }: UpState): boolean {
  return name === "idle" || name === "away";
}

/** Nobody waits for what is over. */
function endOf({ id, isOver }: RunningEvent, by: Ending): readonly EnvironmentEffect[] {
  return isOver ? [] : [settle(id, by)];
}

function settleAll({ events }: UpState, by: Ending): readonly EnvironmentEffect[] {
  return events.flatMap((event) => endOf(event, by));
}
