import type { ViolationKind } from "./ledger-violations.ts";
import type { RecordIdentity } from "./payload.ts";

/** One invocation, as the function sees it. */
export interface LedgerAttempt {
  /** This run's records, in the order of the event. */
  readonly records: readonly AttemptedRecord[];
  /** Records that no attempt has had before: their latency counts. */
  readonly fresh: readonly RecordIdentity[];
}

export interface AttemptedRecord {
  readonly key: number;
  readonly index: number;
  /** Position in the event. */
  readonly place: number;
  readonly isRepeated: boolean;
}

/** What the function's side and the sender's side saw, together. All are numbers of records. */
export interface LedgerReport {
  readonly generated: number;
  readonly accepted: number;
  /** The source did not take them. */
  readonly refused: number;
  /** The source may have taken them or not: its answer was lost. */
  readonly unknown: number;
  /** Reached the function at least once. */
  readonly delivered: number;
  readonly succeeded: number;
  /** Given up, and accepted by the failure destination. */
  readonly discarded: number;
  /** Records over all attempts. */
  readonly attempted: number;
  /** Attempts on records that had succeeded already. */
  readonly duplicates: number;
  /** How many of them crashes and answers that came too late allow. */
  readonly duplicatesAllowed: number;
  /** Records of other runs, which are not looked at further. */
  readonly foreign: number;
  readonly violations: Readonly<Record<ViolationKind, number>>;
  /** The first of them, in words. */
  readonly examples: readonly string[];
}
