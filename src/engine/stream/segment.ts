import type { FailureCause } from "../../model/function-error.ts";
import type { AttemptedPart } from "../invoke/attempt-notes.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import type { WindowEnd } from "./tumbling-window.ts";

/**
 * A batch, or what bisecting and partial responses left of it, with its own request id and retry budget. It never
 * changes: what an attempt makes of it is another one.
 */
export interface Segment {
  readonly records: readonly BufferedRecord[];
  readonly requestId: string;
  /** Splits between the batch and this part of it. */
  readonly depth: number;
  readonly windowEnd: WindowEnd;
  /** Monotonic time of the first try of a window's last invocation, over restarts: the age of it is no record's. */
  readonly triedFromMs: number | undefined;
  /** Its records were in an invocation before. */
  readonly isRetry: boolean;
  /** Failures that count against `MaximumRetryAttempts`. */
  readonly failures: number;
  /** Calls in which the function ran. */
  readonly invocations: number;
  /** The version that the last of them ran; `undefined`: `$LATEST`. */
  readonly executedVersion: string | undefined;
  /** How the last of them failed; `undefined`: it did not, or its answer was at fault. */
  readonly cause: FailureCause | undefined;
  /** Throttled and unavailable attempts in a row: they cost no retry, only time. */
  readonly pauses: number;
  /** Monotonic time before which there is no further attempt. */
  readonly notBeforeMs: number;
}

/** Records that nobody has tried under this request id. */
export function newSegment(
  records: readonly BufferedRecord[],
  requestId: string,
  place: Pick<Segment, "depth" | "windowEnd" | "triedFromMs">,
): Segment {
  return {
    records,
    requestId,
    ...place,
    isRetry: false,
    failures: 0,
    invocations: 0,
    executedVersion: undefined,
    cause: undefined,
    pauses: 0,
    notBeforeMs: 0,
  };
}

/** The function ran, whatever came of it. */
export function afterRun(
  segment: Segment,
  executedVersion: string | undefined,
  cause?: FailureCause,
): Segment {
  return { ...segment, invocations: segment.invocations + 1, executedVersion, cause };
}

/** An attempt failed, and that counts. */
export function afterFailure(segment: Segment): Segment {
  return { ...segment, failures: segment.failures + 1, isRetry: true, pauses: 0 };
}

/** There was no place, or nobody to be called: that costs time, and no retry. */
export function afterPause(segment: Segment): Segment {
  return { ...segment, pauses: segment.pauses + 1, isRetry: true };
}

/** What is left of it once its expired records are cut out: it goes on with what is left of its budget. */
export function withoutExpired(
  segment: Segment,
  live: readonly BufferedRecord[],
  requestId: string,
): Segment {
  const { depth, isRetry, failures, invocations, cause, pauses, notBeforeMs } = segment;
  const kept = { isRetry, failures, invocations, cause, pauses, notBeforeMs };
  return { ...newSegment(live, requestId, { depth, windowEnd: "no", triedFromMs: undefined }), ...kept };
}

/** What people are told of it while it is tried. */
export function attemptedPart(segment: Segment, later: readonly Segment[]): AttemptedPart {
  const { requestId, records, failures, pauses, notBeforeMs } = segment;
  return {
    requestId,
    records: records.length,
    laterRecords: later.reduce((sum, { records }) => sum + records.length, 0),
    firstRecord: records[0]?.record.position,
    lastRecord: records.at(-1)?.record.position,
    failures,
    throttles: pauses,
    notBeforeMs,
    groups: [],
    key: onlyKeyOf(records),
  };
}

/** Larger parts are not looked through for people. */
const KEYS_LOOKED_AT_MAX = 100;

function onlyKeyOf(records: readonly BufferedRecord[]): string | undefined {
  const key = records[0]?.record.key;
  if (records.length > KEYS_LOOKED_AT_MAX) return undefined;
  return records.every(({ record }) => record.key === key) ? key : undefined;
}
