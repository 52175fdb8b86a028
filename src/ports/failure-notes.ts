import type { FailureRecord } from "../model/failure-record.ts";
import type { StreamRecord } from "../model/record.ts";

/** Told of what was given up, once its destination has accepted it. */
export interface FailureNotes {
  /** Never throws and never waits: what was delivered is over, whether or not somebody notes it. */
  delivered(failure: DeliveredFailure): void;
}

/** The same of asynchronous events. */
export interface EventNotes {
  /** Never throws and never waits. */
  eventGivenUp(event: GivenUpEvent): void;
}

/** An event whose end a destination has taken. */
export interface GivenUpEvent {
  readonly functionName: string;
  readonly requestId: string;
  /** The record of its end; empty of a dead letter. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly bytes: number;
  readonly atMs: number;
  readonly destination: string;
  /** What the destination finds it by. */
  readonly at: string | undefined;
}

export interface DeliveredFailure {
  /** `traceparent` of the last attempt. `undefined`: there was none, or nothing is traced. */
  readonly trace?: string | undefined;
  /** Its name, for metrics. */
  readonly mapping: string;
  readonly record: FailureRecord;
  /** What was given up, in order. */
  readonly items: readonly Pick<StreamRecord, "position" | "key">[];
  readonly destination: string;
  /** What the destination finds it by. */
  readonly at: string | undefined;
}
