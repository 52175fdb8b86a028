import type { FailureRecord } from "../model/failure-record.ts";
import type { StreamRecord } from "../model/record.ts";

/** Told of what was given up, once its destination has accepted it. */
export interface FailureNotes {
  /** Never throws and never waits: what was delivered is over, whether or not somebody notes it. */
  delivered(failure: DeliveredFailure): void;
}

export interface DeliveredFailure {
  /** Its name, for metrics. */
  readonly mapping: string;
  readonly record: FailureRecord;
  /** What was given up, in order. */
  readonly items: readonly Pick<StreamRecord, "position" | "key">[];
  readonly destination: string;
  /** What the destination finds it by. */
  readonly at: string | undefined;
}
