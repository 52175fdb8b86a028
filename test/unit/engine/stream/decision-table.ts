/** Makes the table of streams in `docs/batch-decisions.md`: `node test/unit/engine/stream/decision-table.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import type { BufferedRecord } from "../../../../src/engine/stream/buffered-record.ts";
import {
  type AttemptResult,
  type Decision,
  decide,
  type RetryRules,
} from "../../../../src/engine/stream/decision.ts";
import { newSegment, type Segment } from "../../../../src/engine/stream/segment.ts";

export const DECISIONS_FILE = new URL("../../../../docs/batch-decisions.md", import.meta.url);

export interface DecisionRow {
  /** What came of the attempt, for people. */
  readonly came: string;
  readonly result: AttemptResult;
  /** Keys of the batch's records, which are r1, r2, … */
  readonly keys?: readonly string[];
  readonly failures?: number;
  readonly pauses?: number;
  readonly mapping?: Partial<RetryRules>;
  readonly becomes: string;
}

type Verdict = Extract<AttemptResult, { kind: "answered" }>["verdict"];

const answered = (verdict: Verdict, partialRetry: "fromFirst" | "listed" = "fromFirst"): AttemptResult => ({
  kind: "answered",
  verdict,
  partialRetry,
});
const succeeded = answered({ kind: "succeeded", stateJson: undefined });
const malformed = answered({ kind: "malformed", reason: "the response is not JSON", isOfState: false });
const listed = (failed: readonly number[], rule?: "fromFirst" | "listed") =>
  answered({ kind: "partial", failed: new Set(failed.map((each) => each - 1)), stateJson: undefined }, rule);
const error: AttemptResult = { kind: "functionError", errorType: "Error", message: "" };
const throttled = (retryAfterMs?: number): AttemptResult => ({ kind: "throttled", retryAfterMs });
const one = ["a"];

export const DECISION_ROWS: readonly DecisionRow[] = [
  { came: "a success", result: succeeded, becomes: "r1 r2 r3 are settled" },
  { came: "a success after failures", result: succeeded, failures: 2, becomes: "r1 r2 r3 are settled" },
  { came: "an error of the function", result: error, becomes: "again after the back-off of 1 failures" },
  {
    came: "a function that did not answer in time",
    result: { kind: "timedOut" },
    becomes: "again after the back-off of 1 failures",
  },
  {
    came: "an error, the third failure",
    result: error,
    failures: 2,
    mapping: { retryAttemptsMax: 3 },
    becomes: "again after the back-off of 3 failures",
  },
  {
    came: "an error, the failure after the last retry",
    result: error,
    failures: 3,
    mapping: { retryAttemptsMax: 3 },
    becomes: "given up: RetryAttemptsExhausted after 4 failures, functionError Unhandled",
  },
  {
    came: "an error, without retries",
    result: error,
    mapping: { retryAttemptsMax: 0 },
    becomes: "given up: RetryAttemptsExhausted after 1 failures, functionError Unhandled",
  },
  {
    came: "an error, with bisecting",
    result: error,
    mapping: { bisectBatchOnFunctionError: true },
    becomes: "halves r1, then r2 r3, with 0 failures each",
  },
  {
    came: "an error, with bisecting, the retries used up",
    result: error,
    failures: 3,
    mapping: { bisectBatchOnFunctionError: true, retryAttemptsMax: 3 },
    becomes: "halves r1, then r2 r3, with 0 failures each",
  },
  {
    came: "an error of a single record, with bisecting",
    result: error,
    keys: one,
    mapping: { bisectBatchOnFunctionError: true, retryAttemptsMax: 0 },
    becomes: "given up: RetryAttemptsExhausted after 1 failures, functionError Unhandled",
  },
  {
    came: "an answer that cannot be read, the retries used up",
    result: malformed,
    mapping: { retryAttemptsMax: 0 },
    becomes: "given up: RetryAttemptsExhausted after 1 failures, functionError null",
  },
  {
    came: "a partial response that names r2",
    result: listed([2]),
    becomes: "r1 are settled, r2 r3 come again with a fresh budget",
  },
  {
    came: "a partial response that names r3 and r2",
    result: listed([3, 2]),
    failures: 2,
    becomes: "r1 are settled, r2 r3 come again with a fresh budget",
  },
  {
    came: "a partial response that names r1: no progress",
    result: listed([1]),
    becomes: "again after the back-off of 1 failures",
  },
  {
    came: "a partial response that names r1, with bisecting",
    result: listed([1]),
    mapping: { bisectBatchOnFunctionError: true },
    becomes: "halves r1, then r2 r3, with 0 failures each",
  },
  {
    came: "a partial response of Kafka that names r1, whose key r3 has too",
    result: listed([1], "listed"),
    keys: ["a", "b", "a"],
    becomes: "r2 are settled, r1 r3 come again with a fresh budget",
  },
  {
    came: "an event that is too large for what stands before the function",
    result: { kind: "payloadTooLarge" },
    failures: 1,
    becomes: "halves r1, then r2 r3, with 1 failures each",
  },
  {
    came: "the same of a single record",
    result: { kind: "payloadTooLarge" },
    keys: one,
    becomes: "again after the back-off of 1 failures",
  },
  {
    came: "a single record that no event can hold, the retries used up",
    result: { kind: "oversized" },
    keys: one,
    mapping: { retryAttemptsMax: 0 },
    becomes: "given up: RetryAttemptsExhausted after 1 failures, no answer",
  },
  {
    came: "a throttle",
    result: throttled(),
    failures: 1,
    mapping: { retryAttemptsMax: 1 },
    becomes: "again after the back-off of 1 pauses, at no cost",
  },
  {
    came: "the third throttle in a row, with a Retry-After of 5 s",
    result: throttled(5_000),
    pauses: 2,
    becomes: "again after the back-off of 3 pauses or 5000 ms, at no cost",
  },
  {
    came: "a door that is shut, since the function's concurrency is 0",
    result: { kind: "refused", why: "zeroConcurrency" },
    mapping: { retryAttemptsMax: 0 },
    becomes: "again after the back-off of 1 pauses, at no cost",
  },
  {
    came: "the same for the ninth time in a row",
    result: { kind: "refused", why: "zeroConcurrency" },
    pauses: 8,
    becomes: "again after the back-off of 5 pauses, at no cost",
  },
  {
    came: "a function that cannot be reached",
    result: { kind: "unavailable", message: "" },
    mapping: { bisectBatchOnFunctionError: true, retryAttemptsMax: 0 },
    becomes: "again after the back-off of 1 pauses, at no cost",
  },
];

/** What the decision is for this row, as `becomes` says it. */
export function decisionOf(row: DecisionRow): string {
  return tell(segmentOf(row), decide(segmentOf(row), row.result, rulesOf(row), 0));
}

export function segmentOf({
  keys = ["a", "b", "c"],
  failures = 0,
  pauses = 0,
}: Partial<DecisionRow>): Segment {
  const records = keys.map((key, ordinal) => ({
    ordinal,
    read: { monotonicMs: 0, wallMs: 0, answeredMs: undefined, logId: undefined },
    record: { position: String(ordinal), key, arrivalMs: 0, bytes: 1, encodedBytes: 1 },
  }));
  const place = { depth: 0, windowEnd: "no", triedFromMs: undefined } as const;
  return { ...newSegment(records, "request", place), failures, pauses };
}

function rulesOf({ mapping = {} }: DecisionRow): RetryRules {
  return { bisectBatchOnFunctionError: false, retryAttemptsMax: undefined, ...mapping };
}

function tell(segment: Segment, decision: Decision): string {
  switch (decision.kind) {
    case "settle":
      return `${names(segment.records)} are settled`;
    case "moveOn":
      return `${names(decision.settled)} are settled, ${names(decision.again)} come again with a fresh budget`;
    case "again": {
      const { tries, atLeastMs } = decision.backoff;
      const least = atLeastMs === 0 ? "" : ` or ${atLeastMs} ms`;
      const what = decision.costsRetry ? "failures" : "pauses";
      return `again after the back-off of ${tries} ${what}${least}${decision.costsRetry ? "" : ", at no cost"}`;
    }
    case "split":
      return `halves ${decision.halves.map(names).join(", then ")}, with ${decision.failures} failures each`;
    case "giveUp": {
      const answer =
        decision.response === undefined ? "no answer" : `functionError ${decision.response.functionError}`;
      return `given up: ${decision.condition} after ${decision.segment.failures} failures, ${answer}`;
    }
  }
}

function names(records: readonly BufferedRecord[]): string {
  return records.map(({ ordinal }) => `r${ordinal + 1}`).join(" ");
}

/** The page has more than this table: it stands between two comments. */
const TABLE = /(?<=<!-- table: streams -->\n).*(?=<!-- end: streams -->)/s;

export function tableOn(page: string): string | undefined {
  return TABLE.exec(page)?.[0];
}

export function decisionTable(): string {
  const rows = DECISION_ROWS.map((row) => {
    const { retryAttemptsMax, bisectBatchOnFunctionError } = rulesOf(row);
    const rules = `${retryAttemptsMax ?? "no limit"}, ${bisectBatchOnFunctionError ? "yes" : "no"}`;
    return `| ${row.came} | ${row.failures ?? 0}, ${row.pauses ?? 0} | ${rules} | ${row.becomes} |\n`;
  });
  return `| what came | failures, pauses before | MaximumRetryAttempts, bisecting | what becomes of the batch |
|---|---|---|---|
${rows.join("")}`;
}

if (import.meta.main) {
  const page = readFileSync(DECISIONS_FILE, "utf8");
  writeFileSync(DECISIONS_FILE, page.replace(TABLE, decisionTable));
}
