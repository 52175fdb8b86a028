import { type Attempt, type Delivered, isUnmade, type MappingHistory } from "../history.ts";
import { AttemptCounts, isOversized } from "../ledger.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * Counted attempts of a batch never exceed MaximumRetryAttempts + 1 in one life of an engine; of a record neither,
 * where nothing splits batches or moves them on; and nothing is given up before its attempts or its age have run out.
 */
export const attempts: Checker = {
  id: "I3",
  title: "attempts",
  check(trial) {
    const { mapping } = trial;
    // A lane that waits for room tries on, beyond all retries.
    if (mapping.mapping.parkedKeys !== undefined) return;
    const attemptsMax = (mapping.mapping.retryAttemptsMax ?? Number.POSITIVE_INFINITY) + 1;
    const counts = new AttemptCounts(mapping);
    const ofRecord = new Map<string, number>();
    const recordMax = attemptsMax + splitsMax(mapping);
    for (const event of mapping.events) {
      if (event.kind === "attemptStarted") {
        const { attempt } = event;
        if (counts.ofRequest(attempt.process, attempt.requestId) >= attemptsMax) {
          trial.report(event.at, `attempt ${attempt.id} is one more than ${attemptsMax} of its batch`);
        }
      } else if (event.kind === "attemptTold" && event.attempt.toldCounts) {
        counts.add(event.attempt);
        countRecords(trial, event.attempt, ofRecord, recordMax);
      } else if (event.kind === "attemptTold") {
        counts.noteSplit(event.attempt);
      } else if (event.kind === "delivered") {
        checkDiscard(trial, event, counts, attemptsMax);
      }
    }
  },
};

/** A failed whole costs each of its records one attempt, then its halves begin anew. Partial progress has no bound. */
function splitsMax({ mapping }: MappingHistory): number {
  if (mapping.reportBatchItemFailures) return Number.POSITIVE_INFINITY;
  return mapping.bisectBatchOnFunctionError ? Math.ceil(Math.log2(mapping.batchSize)) : 0;
}

function countRecords(trial: Trial, attempt: Attempt, counts: Map<string, number>, recordMax: number): void {
  if (recordMax === Number.POSITIVE_INFINITY) return;
  for (const record of attempt.records) {
    const life = `${attempt.process.ordinal}/${attempt.epoch}/${record.id}`;
    const count = (counts.get(life) ?? 0) + 1;
    counts.set(life, count);
    if (count > recordMax) {
      trial.report(attempt.startedAt, `record ${record.position} failed ${count} times in one life`);
    }
  }
}

function checkDiscard(trial: Trial, event: Delivered, counts: AttemptCounts, attemptsMax: number): void {
  const { record, records, process } = event;
  if (record.condition === "RecordAgeExceeded") {
    const young = records.find((each) => (trial.ledger.agedAt[each.id] ?? 0) > event.at);
    if (young !== undefined)
      trial.report(event.at, `record ${young.position} was given up for age too early`);
    return;
  }
  if (records.some((each) => isUnmade(trial.mapping, each))) return;
  if (records.some((each) => isOversized(trial.history, trial.mapping, each))) return;
  const count = counts.ofBatch(process, record.requestId, records);
  if (count < attemptsMax) {
    trial.report(event.at, `a batch was given up after ${count} of ${attemptsMax} counted attempts`);
  }
  if (record.approximateInvokeCount < counts.ofRequest(process, record.requestId)) {
    trial.report(event.at, `a failure record tells ${record.approximateInvokeCount} invocations of ${count}`);
  }
}
