import type { StreamMapping } from "../../../src/model/mapping.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { SeededRandom } from "../random.ts";
import type { SimPayload } from "./events.ts";
import type { FaultDesk } from "./fault-desk.ts";
import {
  countingState,
  countOf,
  failuresBody,
  garbageBody,
  listedBody,
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
  /** Records that the function has processed for good when it ends. */
  readonly processed: readonly SimRecord[];
  /** Records that the answer settles by the rules of streams §5.4 and §6.1, or kafka §4. */
  readonly toldProcessed: readonly SimRecord[];
  /** The answer costs a retry (streams §5.1). */
  readonly counts: boolean;
  readonly label: string;
}

export interface PlannedMapping {
  readonly mapping: StreamMapping;
  /** Its partial responses list records by partition and offset, and only these come again. */
  readonly isTopic: boolean;
}

export interface FunctionScenario {
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  /** A batch with poison reports the poisoned record, where the mapping lets it; otherwise it fails as a whole. */
  readonly poisonReports: boolean;
  /** An invocation with poison takes nearly all of its time. */
  readonly poisonSlow?: boolean;
  /** What stands before the function refuses larger events (413) until the world heals. Absent: it takes any. */
  readonly frontBytesMax?: number | undefined;
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
const PAYLOAD_REFUSED = counted(REFUSED, "payload refused");

export function planExecution(
  payload: SimPayload,
  { mapping, isTopic }: PlannedMapping,
  scenario: FunctionScenario,
  faults: FaultDesk,
  random: SeededRandom,
): ExecutionPlan {
  const { records } = payload;
  const { durationMs, failure } = planTrouble(scenario, faults, random);
  const failed = ({ outcome, label, counts }: PlannedFailure): ExecutionPlan => ({
    durationMs,
    outcome,
    processed: [],
    toldProcessed: [],
    counts,
    label,
  });
  const isTooLarge =
    !faults.isHealed && payload.length > (scenario.frontBytesMax ?? Number.POSITIVE_INFINITY);
  if (isTooLarge) faults.count("payload above the front's limit");
  if (isTooLarge || failure === PAYLOAD_REFUSED) {
    // A batch whose size is refused is split, which costs no retry; a single record cannot be.
    return failed({ ...PAYLOAD_REFUSED, counts: records.length < 2 });
  }
  if (failure !== undefined) return failed(failure);
  const poisonIndex = scenario.poisonHeals && faults.isHealed ? -1 : records.findIndex(isPoison);
  if (poisonIndex >= 0 && !(mapping.reportBatchItemFailures && scenario.poisonReports)) {
    return failed(POISONED);
  }
  const answer = planAnswer(payload, poisonIndex, { mapping, isTopic }, faults, random);
  if (faults.roll("reset after execution", random)) {
    const { processed } = answer;
    return { ...failed(RESET_AFTER), processed };
  }
  if (faults.roll("answered after its deadline", random)) {
    const { processed } = answer;
    const late = counted(TIMED_OUT, "answered after its deadline");
    return { ...failed(late), processed, durationMs: scenario.timeoutMs + random.between(0, 900) };
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
  if (faults.roll("payload refused", random)) return failed(PAYLOAD_REFUSED);
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
  { mapping, isTopic }: PlannedMapping,
  faults: FaultDesk,
  random: SeededRandom,
): Answer {
  const { records, window } = payload;
  const reports = mapping.reportBatchItemFailures && records.length > 0;
  const partial = isTopic ? listedAnswer : partialAnswer;
  if (poisonIndex >= 0) return partial(payload, poisonIndex, random, "poison reported");
  if (reports && faults.roll("partial failure without progress", random)) {
    return partial(payload, 0, random, "partial failure without progress");
  }
  if (reports && faults.roll("partial failure", random)) {
    return partial(payload, random.int(0, records.length - 1), random, "partial failure");
  }
  const isRead = reports || (window !== undefined && !window.isFinalInvokeForWindow);
  if (faults.roll("garbage response", random)) {
    return unreadable(garbageBody(random), isRead, records, "garbage response");
  }
  if (window !== undefined && !window.isFinalInvokeForWindow) {
    if (faults.roll("window state missing", random)) {
      return unreadable(successBody(random), true, records, "window state missing");
    }
    if (faults.roll("window state oversized", random)) {
      return succeeded(oversizedStateBody(), records, "window state oversized");
    }
  }
  if (window === undefined && faults.roll("malformed partial failure", random)) {
    return unreadable(malformedBody(random), reports, records, "malformed partial failure");
  }
  if (window === undefined) return succeeded(successBody(random), records, "succeeded");
  return succeeded(stateBody(nextState(payload, records.length), []), records, "succeeded");
}

function succeeded(payload: Uint8Array, processed: readonly SimRecord[], label: string): Answer {
  return {
    outcome: { kind: "succeeded", payload },
    processed,
    toldProcessed: processed,
    counts: false,
    label,
  };
}

/** A response that says nothing fails the batch where the engine must read it, and is ignored where it need not. */
function unreadable(body: Uint8Array, isRead: boolean, records: readonly SimRecord[], label: string): Answer {
  if (!isRead) return succeeded(body, records, `${label}, ignored`);
  return { ...succeeded(body, [], label), counts: true };
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
  return { ...succeeded(body, payload.records.slice(0, failedIndex), label), counts: failedIndex === 0 };
}

/**
 * The record at `failedIndex` failed, and perhaps others: what is poisoned always. The function leaves the later
 * records of a failed one's key alone without listing them, since they come again with it (kafka §4, decision 0017).
 */
function listedAnswer(
  { records }: SimPayload,
  failedIndex: number,
  random: SeededRandom,
  label: string,
): Answer {
  const listed: SimRecord[] = [];
  const processed: SimRecord[] = [];
  const failedKeys = new Set<string>();
  for (const [index, record] of records.entries()) {
    if (failedKeys.has(record.key)) continue;
    if (index !== failedIndex && !record.poison && random.chance(0.8)) {
      processed.push(record);
      continue;
    }
    listed.push(record);
    failedKeys.add(record.key);
  }
  if (random.chance(0.3)) listed.reverse();
  const body = listedBody(listed.map(({ shard, position }) => ({ partition: shard.shardId, position })));
  return { ...succeeded(body, processed, label), counts: processed.length === 0 };
}

/** The state counts records, so that the world can tell whether a state was lost or used twice. */
function nextState(payload: SimPayload, processed: number): string {
  return countingState(stateCount(payload) + processed);
}

export function stateCount(payload: SimPayload): number {
  return countOf(payload.window?.stateJson ?? "") ?? 0;
}

function isPoison(record: SimRecord): boolean {
  return record.poison;
}
