/**
 * Why a part of a mapping that holds work makes no progress. Closed: each code has a remedy (`src/control/remedies.ts`)
 * and a section of its name in `docs/runbook.md`. `idle`, `caughtUp` and `progressing` are no reasons: nothing is to be
 * done. `unknown` is a defect of ours: nobody could say why.
 */
export const REASON_CODES = [
  "idle",
  "caughtUp",
  "progressing",
  "fillingBatch",
  "functionRuns",
  "windowOpen",
  "functionFails",
  "atConcurrency",
  "destinationUnavailable",
  "sourceThrottled",
  "sourceUnavailable",
  "sourceDenied",
  "sourceGone",
  "sourceSilent",
  "sourceHoldsBack",
  "waitsForParents",
  "readingFull",
  "leaseNotRenewed",
  "groupBusy",
  "messagesHidden",
  "waitsForPlace",
  "cannotStart",
  "stopping",
  "checkpointFails",
  "failed",
  "unknown",
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

/** What makes a part wait; times are epoch milliseconds. */
export interface Reason {
  readonly code: ReasonCode;
  readonly sinceMs: number | undefined;
  /** Until when it is by design, or when the next try is. */
  readonly untilMs: number | undefined;
  readonly facts: Readonly<Record<string, string | number>>;
}

const NONE: readonly ReasonCode[] = ["idle", "caughtUp", "progressing"];

/** It says that nothing stands still. */
export function isNoReason(code: ReasonCode): boolean {
  return NONE.includes(code);
}
