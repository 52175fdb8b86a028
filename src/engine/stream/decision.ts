import { assertInvariant } from "../../model/errors.ts";
import type { FailureCondition, FailureRecord } from "../../model/failure-record.ts";
import type { StreamMapping } from "../../model/mapping.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import type { RefusalReason } from "../../ports/invoker.ts";
import { failureCause } from "../invoke/failure-cause.ts";
import type { BatchVerdict } from "../invoke/response.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { type SplitBatch, splitByFailures } from "./partial-retry.ts";
import { afterFailure, afterPause, afterRun, type Segment } from "./segment.ts";

type PartialRetry = "fromFirst" | "listed";

/** What came of an attempt. */
export type AttemptResult =
  | Exclude<InvocationOutcome, { readonly kind: "succeeded" }>
  /** The function returned. `partialRetry`: what of its source comes again after a partial response. */
  | {
      readonly kind: "answered";
      readonly verdict: BatchVerdict;
      readonly partialRetry: PartialRetry;
      readonly executedVersion?: string | undefined;
    }
  /** The function's door let it not in. */
  | { readonly kind: "refused"; readonly why: RefusalReason }
  /** A single record that no event can hold: the function was not called. */
  | { readonly kind: "oversized" };

/** What becomes of a segment after an attempt. */
export type Decision =
  /** All of its records are settled. */
  | { readonly kind: "settle" }
  /** A part of its records is settled; the others come again as a segment of their own. */
  | ({ readonly kind: "moveOn"; readonly rule: PartialRetry } & SplitBatch)
  | Again
  | Split
  | GiveUp;

/** The same records are tried again, after a pause. */
export interface Again {
  readonly kind: "again";
  readonly segment: Segment;
  readonly costsRetry: boolean;
  /** The back-off of so many failures or pauses, and no less than so long. */
  readonly backoff: { readonly tries: number; readonly atLeastMs: number };
  /** How long a window's last invocation has been tried; nothing else has it. */
  readonly triedForMs: number | undefined;
}

/** The left half comes next and is brought to its end, then the right one: no wait, and failures as said. */
export interface Split {
  readonly kind: "split";
  readonly segment: Segment;
  readonly halves: readonly (readonly BufferedRecord[])[];
  readonly failures: number;
  readonly triedForMs: undefined;
}

/** The retries are used up: the records go to the destination. */
export interface GiveUp {
  readonly kind: "giveUp";
  readonly segment: Segment;
  readonly condition: FailureCondition;
  readonly response: FailureRecord["response"];
  readonly triedForMs: number | undefined;
}

/** A door of this process that is shut is asked again soon: that costs nobody anything. */
const REFUSED_TRIES_MAX = 5;

export type RetryRules = Pick<StreamMapping, "bisectBatchOnFunctionError" | "retryAttemptsMax">;

const SETTLE: Decision = { kind: "settle" };

/** Mapping-wide answer shown in failure records after an error of the function itself. */
const UNHANDLED = { functionError: "Unhandled" } as const;
/** … and after a partial or malformed response: the function returned, its answer failed the batch. */
const NO_FUNCTION_ERROR = { functionError: null } as const;

/**
 * What becomes of a segment, by what came of an attempt and by the mapping's rules alone (streams §5). A table of it is
 * in docs/batch-decisions.md. `nowMs`: monotonic.
 */
export function decide(
  segment: Segment,
  result: AttemptResult,
  mapping: RetryRules,
  nowMs: number,
): Decision {
  switch (result.kind) {
    case "answered":
      return decideByAnswer(afterRun(segment, result.executedVersion), result, mapping, nowMs);
    case "functionError":
    case "timedOut":
      return fail(afterRun(segment, result.executedVersion, failureCause(result)), UNHANDLED, mapping, nowMs);
    case "payloadTooLarge":
      return decideBySize(segment, mapping, nowMs);
    case "oversized":
      return fail(segment, undefined, mapping, nowMs);
    case "throttled":
      // plant: a-throttle-costs-a-retry
      return pause(segment, result.retryAfterMs ?? 0, nowMs);
    case "unavailable":
      return pause(segment, 0, nowMs);
    case "refused":
      return pause(segment, 0, nowMs, REFUSED_TRIES_MAX);
  }
}

function decideByAnswer(
  segment: Segment,
  { verdict, partialRetry }: Extract<AttemptResult, { kind: "answered" }>,
  mapping: RetryRules,
  nowMs: number,
): Decision {
  if (verdict.kind === "succeeded") return SETTLE;
  if (verdict.kind === "malformed") return fail(segment, NO_FUNCTION_ERROR, mapping, nowMs);
  const { settled, again } = splitByFailures(segment.records, verdict.failed, partialRetry);
  if (settled.length === 0) return fail(segment, NO_FUNCTION_ERROR, mapping, nowMs);
  return { kind: "moveOn", rule: partialRetry, settled, again };
}

/**
 * Smaller parts may pass, whatever the mapping says of bisecting; one record can only be tried again and given up.
 */
function decideBySize(segment: Segment, mapping: RetryRules, nowMs: number): Decision {
  // plant: a-batch-whose-size-is-refused-is-not-split
  if (segment.records.length < 2) return fail(segment, undefined, mapping, nowMs);
  // It costs no retry, and wins none back.
  return split(segment, segment.failures);
}

/** A failure that counts: split, retry or give up. */
function fail(
  tried: Segment,
  response: FailureRecord["response"],
  mapping: RetryRules,
  nowMs: number,
): Decision {
  const segment = afterFailure(tried);
  // plant: the-smallest-batches-are-not-split
  // plant: a-single-record-is-split
  if (mapping.bisectBatchOnFunctionError && segment.records.length > 1) return split(segment, 0);
  const triedForMs = triedFor(segment, nowMs);
  // plant: one-retry-too-many
  // plant: one-retry-too-few
  if (mapping.retryAttemptsMax !== undefined && segment.failures > mapping.retryAttemptsMax) {
    return { kind: "giveUp", segment, condition: "RetryAttemptsExhausted", response, triedForMs };
  }
  const backoff = { tries: segment.failures, atLeastMs: 0 };
  return { kind: "again", segment, costsRetry: true, backoff, triedForMs };
}

/** Throttles and unavailability cost no retry (streams §5.1). */
function pause(tried: Segment, atLeastMs: number, nowMs: number, triesMax = tried.pauses + 1): Decision {
  const segment = afterPause(tried);
  const backoff = { tries: Math.min(segment.pauses, triesMax), atLeastMs };
  return { kind: "again", segment, costsRetry: false, backoff, triedForMs: triedFor(segment, nowMs) };
}

/** Each half has a fresh budget (decision 0026), unless said. */
function split(segment: Segment, failures: number): Split {
  assertInvariant(segment.records.length > 1, "a segment of a single record is split");
  // plant: batches-are-split-one-record-at-a-time
  const middle = Math.floor(segment.records.length / 2);
  const left = segment.records.slice(0, middle);
  // plant: a-split-loses-a-record
  const right = segment.records.slice(middle);
  // plant: the-right-half-of-a-split-batch-goes-first
  return { kind: "split", segment, halves: [left, right], failures, triedForMs: undefined };
}

/** How long a window's last invocation has been tried: that goes into the checkpoint. */
function triedFor({ triedFromMs }: Segment, nowMs: number): number | undefined {
  return triedFromMs === undefined ? undefined : nowMs - triedFromMs;
}

/** What is over now of the records of a segment. */
export function settledBy(segment: Segment, decision: Decision): readonly BufferedRecord[] {
  if (decision.kind === "settle") return segment.records;
  return decision.kind === "moveOn" ? decision.settled : [];
}
