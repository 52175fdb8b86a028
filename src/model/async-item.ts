import type { TraceCarrier } from "./trace-context.ts";

/** `invoke`: an event for a function. `deliver`: what became of one, for a destination. */
export type AsyncItemKind = "invoke" | "deliver";

/** What is put into the queue of asynchronous events. */
export interface NewAsyncItem {
  /** The request id, in all attempts. Of a delivery it is made of that. */
  readonly id: string;
  readonly kind: AsyncItemKind;
  /** `f:FUNCTION` or `d:DESTINATION`: whose backlog it is. Items of a lane that cannot go on are not looked at. */
  readonly lane: string;
  /** As its caller named it: a version, an alias, `$LATEST`; empty: none. Resolved anew at each attempt. */
  readonly qualifier: string;
  readonly body: Uint8Array;
  readonly state: AttemptState;
  readonly visibleInMs: number;
}

/** What is known of an item's attempts. Any of its holders goes on from here. */
export interface AttemptState {
  /** Epoch milliseconds. */
  readonly acceptedMs: number;
  /** Attempts in which the function ran. */
  readonly runs: number;
  /** Those that it failed: what `MaximumRetryAttempts` counts. */
  readonly functionErrors: number;
  /** Attempts that were throttled, or did not reach the function, since it last ran: what the pauses grow by. */
  readonly throttles: number;
  readonly deliveryFailures: number;
  /** What the last attempt came to, for a record that is made without another one. */
  readonly last?: LastAttempt | undefined;
  /** Functions that the chain of events has passed, as the trace header has it. */
  readonly lineage?: string | undefined;
  readonly trace?: TraceCarrier | undefined;
  /** Who put it, beyond a caller of Invoke: a schedule, a rule. */
  readonly route?: string | undefined;
  /** Limits that came with the item, and stand for those of the function's configuration. */
  readonly policy?: AsyncPolicy | undefined;
}

export interface AsyncPolicy {
  readonly maximumRetryAttempts?: number | undefined;
  readonly maximumEventAgeSeconds?: number | undefined;
  /** Where the event goes when it is given up, beside the function's own routes. */
  readonly deadLetterTarget?: string | undefined;
}

export interface LastAttempt {
  readonly statusCode: number;
  readonly functionError?: string | undefined;
  readonly executedVersion?: string | undefined;
  /** For people and dead-letter queues: what went wrong, bounded. */
  readonly message?: string | undefined;
  /** JSON of what the function answered; absent: it answered nothing, or too much to keep. */
  readonly payload?: string | undefined;
}

export function newAttemptState(acceptedMs: number): AttemptState {
  return { acceptedMs, runs: 0, functionErrors: 0, throttles: 0, deliveryFailures: 0 };
}

export const FUNCTION_LANE = "f:";
export const DESTINATION_LANE = "d:";
