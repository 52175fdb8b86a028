import type { AttemptState, LastAttempt } from "../../model/async-item.ts";
import {
  EVENT_AGE_SECONDS_DEFAULT,
  EVENT_RETRIES_DEFAULT,
  type InvokeConfig,
} from "../../model/invoke-config.ts";
import { errorPauseMs } from "./retry-times.ts";

/** AWS's words, and one of ours: AWS shows a chain that was cut under none. */
export type GiveUpCondition =
  | "RetriesExhausted"
  | "EventAgeExceeded"
  | "ZeroReservedConcurrency"
  | "RecursiveInvocation";

/** What an attempt came to, as far as it decides anything. */
export type AttemptResult =
  | { readonly kind: "succeeded" }
  /** The function ran and failed, or does not exist: what `MaximumRetryAttempts` counts. */
  | { readonly kind: "failed"; readonly last: LastAttempt }
  /** It did not run: throttled, unavailable or refused for now. */
  | { readonly kind: "held"; readonly last: LastAttempt; readonly pauseMs: number }
  | { readonly kind: "zeroConcurrency" }
  | { readonly kind: "recursion"; readonly last: LastAttempt }
  /** It waited for its turn for too long, before or after it was received. */
  | { readonly kind: "aged" }
  /** The process stops, or the hold has ended. */
  | { readonly kind: "notStarted" };

/** What becomes of the event. */
export type Ending =
  | { readonly kind: "succeeded" }
  | { readonly kind: "retry"; readonly state: AttemptState; readonly delayMs: number }
  | {
      readonly kind: "giveUp";
      readonly condition: GiveUpCondition;
      /** Attempts that AWS's record counts. */
      readonly attempts: number;
      /** Absent: nothing answered, and there is nothing to show. */
      readonly last: LastAttempt | undefined;
    }
  | { readonly kind: "release" };

/** What is known of an event that was throttled until its age ended (invocation §9.3). */
const RATE_EXCEEDED: LastAttempt = { statusCode: 429, message: "Rate Exceeded." };

/** What becomes of an event behind an attempt: a pure function of values. */
export function decideAttempt(
  state: AttemptState,
  result: AttemptResult,
  config: InvokeConfig,
  nowMs: number,
): Ending {
  switch (result.kind) {
    case "succeeded":
      return { kind: "succeeded" };
    case "notStarted":
      return { kind: "release" };
    case "zeroConcurrency":
      return giveUp("ZeroReservedConcurrency", state, undefined);
    case "aged":
      return giveUp("EventAgeExceeded", state, lastOf(state));
    case "recursion":
      return giveUp("RecursiveInvocation", state, result.last);
    case "failed": {
      const errors = state.functionErrors + 1;
      const failed = {
        ...state,
        runs: state.runs + 1,
        functionErrors: errors,
        throttles: 0,
        last: result.last,
      };
      // plant: one-retry-of-an-event-too-many
      if (errors > retriesOf(config)) return giveUp("RetriesExhausted", failed, result.last);
      return again(failed, errorPauseMs(errors), config, nowMs);
    }
    case "held": {
      // plant: a-throttle-of-an-event-counts-as-an-error
      const held = {
        ...state,
        throttles: state.throttles + 1,
        last: state.runs > 0 ? state.last : result.last,
      };
      return again(held, result.pauseMs, config, nowMs);
    }
  }
}

/** The age is asked before the pause: who could not start again in time waits for nothing. */
function again(state: AttemptState, delayMs: number, config: InvokeConfig, nowMs: number): Ending {
  // plant: the-age-of-an-event-is-checked-without-look-ahead
  if (nowMs + delayMs > ageEndMs(state, config)) return giveUp("EventAgeExceeded", state, lastOf(state));
  return { kind: "retry", state, delayMs };
}

function giveUp(condition: GiveUpCondition, { runs }: AttemptState, last: LastAttempt | undefined): Ending {
  return { kind: "giveUp", condition, attempts: runs, last };
}

function lastOf({ runs, last }: AttemptState): LastAttempt {
  return runs > 0 && last !== undefined ? last : RATE_EXCEEDED;
}

function retriesOf({ maximumRetryAttempts }: InvokeConfig): number {
  return maximumRetryAttempts ?? EVENT_RETRIES_DEFAULT;
}

/** No attempt starts after this. It bounds the waiting, never a handler that runs. */
export function ageEndMs({ acceptedMs }: AttemptState, { maximumEventAgeSeconds }: InvokeConfig): number {
  return acceptedMs + (maximumEventAgeSeconds ?? EVENT_AGE_SECONDS_DEFAULT) * 1000;
}
