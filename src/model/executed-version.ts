import type { InvocationOutcome } from "./outcome.ts";

/** Names the version in an outcome of a function that ran. */
export function withVersion(outcome: InvocationOutcome, executedVersion: string): InvocationOutcome {
  switch (outcome.kind) {
    case "succeeded":
    case "functionError":
    case "timedOut":
      return { ...outcome, executedVersion };
    case "throttled":
    case "unavailable":
    case "payloadTooLarge":
      return outcome;
  }
}
