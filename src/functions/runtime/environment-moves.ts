import type { EnvironmentStanding, EnvironmentWatch, ResetReason } from "../../ports/environment-watch.ts";
import type { EnvironmentSignal, EnvironmentState } from "./environment-state.ts";

interface Move {
  readonly before: EnvironmentState;
  readonly state: EnvironmentState;
  /** What has moved it. */
  readonly signal: EnvironmentSignal;
}

/** Tells whoever counts environments that one has moved. */
export function tellMove(watch: EnvironmentWatch | undefined, { before, state, signal }: Move): void {
  if (watch === undefined) return;
  const [from, to] = [standingOf(before), standingOf(state)];
  if (from !== to) watch.moved(from, to);
  const isReset = state.name === "resetting" && state.into === "new" && before.name !== "resetting";
  if (isReset) watch.reset(REASONS[signal.kind] ?? (isDrained(before) ? "timeout" : "exit"));
}

function standingOf(state: EnvironmentState): EnvironmentStanding | undefined {
  switch (state.name) {
    case "new":
      return "stopped";
    case "init":
      return "starting";
    case "idle":
    case "away":
      return "idle";
    case "busy":
    case "answered":
      return "busy";
    case "resetting":
      return "resetting";
    case "abandoned":
      return "abandoned";
    case "gone":
      return undefined;
  }
}

/** One of its events had its time before, and its neighbours went on. */
function isDrained(before: EnvironmentState): boolean {
  return (
    "events" in before && before.drain === "reset" && before.events.every(({ answer }) => answer !== "ended")
  );
}

const REASONS: Partial<Readonly<Record<EnvironmentSignal["kind"], ResetReason>>> = {
  timeout: "timeout",
  initError: "initError",
  abandon: "abandoned",
};
