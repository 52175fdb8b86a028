import type { RuntimeCall } from "../../../src/functions/runtime/runtime-call.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { HostProcess } from "./host-world.ts";

/** A call as its caller sees it. */
export interface WatchedRun {
  readonly call: RuntimeCall;
  readonly arrivedMs: number;
  readonly timeoutMs: number;
  readonly abort: AbortController;
  process: HostProcess | undefined;
  answered: string | undefined;
  /** What its sink has got; `undefined`: it has none. */
  streamed: string | undefined;
  isAborted: boolean;
}

/** What is wrong with how it ended. */
export function faultsOf(run: WatchedRun, outcome: InvocationOutcome, nowMs: number): readonly string[] {
  const { answered, streamed = "", arrivedMs, timeoutMs } = run;
  const faults: string[] = [];
  if (outcome.kind === "succeeded" && streamed + Buffer.from(outcome.payload).toString() !== answered)
    faults.push("got the answer of another");
  if (outcome.kind === "timedOut" && nowMs < arrivedMs + timeoutMs)
    faults.push("was timed out before its time");
  if (streamed !== "" && ["unavailable", "throttled"].includes(outcome.kind))
    faults.push("has streamed, and is told not to have run");
  return faults;
}

const START_MS = 10_000;
/** How late a deadline may be noticed, at the start and in the run. */
const LATE_MS = 100;

/** It has no outcome, and should have. */
export function isOverdue({ arrivedMs, timeoutMs }: WatchedRun, nowMs: number): boolean {
  return nowMs > arrivedMs + START_MS + timeoutMs + 2 * LATE_MS;
}
