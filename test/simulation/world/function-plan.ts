import type { StreamMapping } from "../../../src/model/mapping.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { SeededRandom } from "../random.ts";
import type { SimPayload } from "./events.ts";
import type { FaultDesk } from "./fault-desk.ts";
import {
  failuresBody,
  garbageBody,
  malformedBody,
  oversizedStateBody,
  stateBody,
  successBody,
} from "./responses.ts";
import type { SimRecord } from "./stream.ts";

/** How one execution will go: decided when it starts. */
export interface ExecutionPlan {
  readonly durationMs: number;
  /** What the caller is told. */
  readonly outcome: InvocationOutcome;
  /** Records from the front that the function has processed for good when it ends. */
  readonly processed: number;
  /** Records from the front that the answer settles by the rules of streams §5.4 and §6.1. */
  readonly toldProcessed: number;
  /** The answer costs a retry (streams §5.1). */
  readonly counts: boolean;
  readonly label: string;
}

export interface FunctionScenario {
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  /** A batch with poison reports the poisoned record, where the mapping lets it; otherwise it fails as a whole. */
  readonly poisonReports: boolean;
  /** Poison ends when the world heals: for mappings that never give up. */
  readonly poisonHeals: boolean;
}

const ERROR = (errorType: string): InvocationOutcome => ({
  kind: "functionError",
  errorType,
  message: "simulated",
});
const UNHANDLED = ERROR("Unhandled");
const RESET = ERROR("ConnectionReset");
const TOO_LARGE_RESPONSE = ERROR("Function.ResponseSizeTooLarge");
const UNAVAILABLE: InvocationOutcome = { kind: "unavailable", message: "simulated" };
const TIMED_OUT: InvocationOutcome = { kind: "timedOut" };
const REFUSED: InvocationOutcome = { kind: "payloadTooLarge" };

/** The function did not do its work, or nobody heard of it. */
export interface PlannedFailure {
  readonly outcome: InvocationOutcome;
  readonly label: string;
  /** The answer costs a retry (streams §5.1). */
  readonly counts: boolean;
}

export const POISONED = counted(ERROR("Poisoned"), "function error (poison)");
export const RESET_AFTER = counted(RESET, "reset after execution");

export function planExecution(
  payload: SimPayload,
  mapping: StreamMapping,
  scenario: FunctionScenario,
  faults: FaultDesk,
  random: SeededRandom,
): ExecutionPlan {
  const { records } = payload;
  const { durationMs, failure } = planTrouble(scenario, faults, random);
  const failed = ({ outcome, label, counts }: PlannedFailure): ExecutionPlan => ({
    durationMs,
    outcome,
    processed: 0,
    toldProcessed: 0,
    counts,
    label,
  });
  if (failure !== undefined) return failed(failure);
  const poisonIndex = scenario.poisonHeals && faults.isHealed ? -1 : records.findIndex(isPoison);
  if (poisonIndex >= 0 && !(mapping.reportBatchItemFailures && scenario.poisonReports)) {
    return failed(POISONED);
  }
  const answer = planAnswer(payload, poisonIndex, mapping, faults, random);
  if (faults.roll("reset after execution", random)) {
    const { processed } = answer;
    return { ...failed(RESET_AFTER), processed };
  }
  return { durationMs, ...answer };
}

/** How long an execution takes, and whether it fails before the function looks at what it got. */
export function planTrouble(
  scenario: FunctionScenario,
  faults: FaultDesk,
  random: SeededRandom,
): { readonly durationMs: number; readonly failure: PlannedFailure | undefined } {
  let durationMs = random.between(scenario.latencyMinMs, scenario.latencyMaxMs);
  const failed = (failure: PlannedFailure) => ({ durationMs, failure });
  if (faults.isOut("function")) return failed(again(UNAVAILABLE, "unavailable (outage)"));
  if (faults.roll("function unavailable", random)) return failed(again(UNAVAILABLE, "unavailable"));
  if (faults.roll("function throttled", random)) {
    const retryAfterMs = random.chance(0.5) ? random.int(1, 3_000) : undefined;
    return failed(again({ kind: "throttled", retryAfterMs }, "throttled"));
  }
  if (faults.roll("payload refused", random)) return failed(counted(REFUSED, "payload refused"));
  if (faults.roll("reset before execution", random)) return failed(counted(RESET, "reset before execution"));
  if (faults.roll("function slow", random)) durationMs += random.between(100, 1.5 * scenario.timeoutMs);
  if (faults.roll("function hung", random)) durationMs = scenario.timeoutMs;
  if (durationMs >= scenario.timeoutMs || faults.roll("function timed out", random)) {
    durationMs = scenario.timeoutMs + random.between(0, 900);
    return failed(counted(TIMED_OUT, "timed out"));
  }
  if (faults.roll("function error", random)) return failed(counted(UNHANDLED, "function error"));
  if (faults.roll("oversized response", random))
    return failed(counted(TOO_LARGE_RESPONSE, "oversized response"));
  return { durationMs, failure: undefined };
}

function counted(outcome: InvocationOutcome, label: string): PlannedFailure {
  return { outcome, label, counts: true };
}

function again(outcome: InvocationOutcome, label: string): PlannedFailure {
  return { outcome, label, counts: false };
}

type Answer = Omit<ExecutionPlan, "durationMs">;

/** The function ran and answers: with what it made of the records, or with something unreadable. */
function planAnswer(
  payload: SimPayload,
  poisonIndex: number,
  mapping: StreamMapping,
  faults: FaultDesk,
  random: SeededRandom,
): Answer {
  const { records, window } = payload;
  const reports = mapping.reportBatchItemFailures && records.length > 0;
  if (poisonIndex >= 0) return partialAnswer(payload, poisonIndex, random, "poison reported");
  if (reports && faults.roll("partial failure without progress", random)) {
    return partialAnswer(payload, 0, random, "partial failure without progress");
  }
  if (reports && faults.roll("partial failure", random)) {
    return partialAnswer(payload, random.int(0, records.length - 1), random, "partial failure");
  }
  const isRead = reports || (window !== undefined && !window.isFinalInvokeForWindow);
  if (faults.roll("garbage response", random)) {
    return unreadable(garbageBody(random), isRead, records.length, "garbage response");
  }
  if (window !== undefined && !window.isFinalInvokeForWindow) {
    if (faults.roll("window state missing", random)) {
      return unreadable(successBody(random), true, records.length, "window state missing");
    }
    if (faults.roll("window state oversized", random)) {
      return succeeded(oversizedStateBody(), records.length, "window state oversized");
    }
  }
  if (window === undefined && faults.roll("malformed partial failure", random)) {
    return unreadable(malformedBody(random), reports, records.length, "malformed partial failure");
  }
  if (window === undefined) return succeeded(successBody(random), records.length, "succeeded");
  return succeeded(stateBody(nextState(payload, records.length), []), records.length, "succeeded");
}

function succeeded(payload: Uint8Array, count: number, label: string): Answer {
  return {
    outcome: { kind: "succeeded", payload },
    processed: count,
    toldProcessed: count,
    counts: false,
    label,
  };
}

/** A response that says nothing fails the batch where the engine must read it, and is ignored where it need not. */
function unreadable(body: Uint8Array, isRead: boolean, count: number, label: string): Answer {
  if (!isRead) return succeeded(body, count, `${label}, ignored`);
  return { ...succeeded(body, 0, label), counts: true };
}

/** The record at `failedIndex` is the first that failed: it and all behind it come again (streams §5.4). */
function partialAnswer(
  payload: SimPayload,
  failedIndex: number,
  random: SeededRandom,
  label: string,
): Answer {
  const failed: string[] = [];
  for (const [index, record] of payload.records.entries()) {
    if (index === failedIndex || (index > failedIndex && random.chance(0.3))) failed.push(record.position);
  }
  // The function may list them in any order.
  if (random.chance(0.3)) failed.reverse();
  const body =
    payload.window === undefined ? failuresBody(failed) : stateBody(nextState(payload, failedIndex), failed);
  return {
    outcome: { kind: "succeeded", payload: body },
    processed: failedIndex,
    toldProcessed: failedIndex,
    counts: failedIndex === 0,
    label,
  };
}

/** The state counts records, so that the world can tell whether a state was lost or used twice. */
function nextState(payload: SimPayload, processed: number): string {
  return `{"n":${stateCount(payload) + processed}}`;
}

export function stateCount(payload: SimPayload): number {
  const match = /"n":(\d+)/.exec(payload.window?.stateJson ?? "");
  return match === null ? 0 : Number(match[1]);
}

function isPoison(record: SimRecord): boolean {
  return record.poison;
}
