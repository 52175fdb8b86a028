import type { FunctionExplanation } from "../invocation/function-explanation.ts";
import { type Reason, reason } from "../model/reason.ts";
import type { BatchExplanation, DestinationStanding } from "./explanation.ts";

/**
 * How far behind its moment anything may be before it counts as forgotten: timers come late on a busy machine, a call
 * is under way for as long as its deadline. Below `STANDSTILL_MS`, so that what was forgotten is known when it is
 * judged.
 */
export const LATE_MS = 10_000;
/** What a call may take beyond its time-out: its function's start and a second (`FunctionTarget`), and one to tell. */
const CALL_LATE_MS = 12_000;

/** What a batch stands in, beside itself. */
export interface BatchSurroundings {
  readonly fn: FunctionExplanation;
  readonly destination: DestinationStanding | undefined;
  readonly nowMs: number;
}

export function batchReason(batch: BatchExplanation, around: BatchSurroundings): Reason {
  const { doing, sinceMs, nextAttemptMs } = batch;
  const { fn, nowMs } = around;
  switch (doing) {
    case "starting":
      return nowMs - sinceMs > LATE_MS
        ? reason("unknown", { sinceMs, facts: { of: "batch" } })
        : reason("progressing");
    case "queued":
      return slotReason(fn, sinceMs);
    case "invoking": {
      const untilMs = sinceMs + fn.timeoutMs;
      if (nowMs - untilMs > CALL_LATE_MS) return reason("unknown", { sinceMs, facts: { of: "invocation" } });
      return batch.failure === undefined
        ? reason("functionRuns", { sinceMs, untilMs })
        : failureReason(batch, undefined);
    }
    case "pausing":
      if (nextAttemptMs === undefined || nowMs - nextAttemptMs > LATE_MS)
        return reason("unknown", { sinceMs, untilMs: nextAttemptMs, facts: { of: "retry" } });
      return failureReason(batch, nextAttemptMs);
    case "leaseless":
      return reason("leaseNotRenewed", { sinceMs });
    case "undurable":
      return reason("checkpointFails", { sinceMs });
    case "settling":
      if (nowMs - sinceMs <= LATE_MS) return reason("progressing");
      return reason("sourceUnavailable", {
        sinceMs,
        facts: { problem: "what is done is not taken off the queue" },
      });
    case "parking":
      if (nowMs - sinceMs <= LATE_MS) return reason("progressing");
      return reason("storeUnavailable", { sinceMs, facts: { problem: "records cannot be parked" } });
    case "discarding":
      return discardingReason(sinceMs, around);
  }
}

/** The last attempt failed, and the next one is planned, or runs. */
function failureReason(
  { failure = "functionFails", sinceMs, attempts, throttles, lastProblem, lastErrorId }: BatchExplanation,
  untilMs: number | undefined,
): Reason {
  const facts = {
    attempts,
    ...(throttles > 0 ? { throttles } : {}),
    ...(lastProblem === undefined ? {} : { problem: lastProblem }),
    ...(lastErrorId === undefined ? {} : { errorId: lastErrorId }),
  };
  return reason(failure, { sinceMs, untilMs, facts });
}

function discardingReason(sinceMs: number, { destination, nowMs }: BatchSurroundings): Reason {
  const isSilent = nowMs - sinceMs > LATE_MS;
  if (destination?.isRefusing !== true && !isSilent) return reason("progressing");
  const { lastProblem } = destination ?? {};
  const facts = lastProblem === undefined ? {} : { problem: lastProblem };
  return reason("destinationUnavailable", { sinceMs, facts });
}

/** It waits for a place at the function: whose places they are. */
function slotReason(fn: FunctionExplanation, sinceMs: number): Reason {
  const { limit, concurrency, running, ownRunning, share, account } = fn;
  const facts = { function: fn.name, limit, running };
  if (share?.isCutOff === true) return reason("storeUnavailable", { sinceMs });
  if (account !== undefined && running < limit)
    return reason("accountConcurrency", { sinceMs, facts: { function: fn.name, ...account } });
  if (ownRunning < running) {
    const others = running - ownRunning;
    return reason("waitsForSlot", { sinceMs, facts: { ...facts, others } });
  }
  if (share !== undefined && share.granted < share.limit)
    return reason("sharedMaximumTaken", {
      sinceMs,
      facts: { ...facts, running: share.granted, limit: share.limit },
    });
  if (limit < concurrency)
    return reason("adaptiveLimit", { sinceMs, facts: { ...facts, limit: concurrency, running: limit } });
  return reason("atConcurrency", { sinceMs, facts });
}
