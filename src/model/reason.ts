/** What a reason is about; the order of `docs/runbook.md`. */
export type ReasonScope =
  | "none"
  | "byDesign"
  | "record"
  | "function"
  | "destination"
  | "reading"
  | "ownership"
  | "queue"
  | "redrive"
  | "events"
  | "control"
  | "store"
  | "defect";

/** More members than a broker has shards to give: a word of people who run such brokers. */
export const NO_SHARDS = "noPartitions";

/**
 * Why a part of a mapping is where it is. Closed: each code has a remedy (`src/control/remedies.ts`) and a section of
 * its name in `docs/runbook.md`. Those of the scope `none` are no reasons: nothing is to be done. `unknown` is a defect
 * of ours: nobody could say why.
 */
const SCOPES = {
  idle: "none",
  caughtUp: "none",
  progressing: "none",
  fillingBatch: "byDesign",
  functionRuns: "byDesign",
  windowOpen: "byDesign",
  functionFails: "record",
  functionTimesOut: "record",
  partialWithoutProgress: "record",
  malformedResponse: "record",
  windowStateMissing: "record",
  payloadTooLarge: "record",
  zeroConcurrency: "function",
  noSuchFunction: "function",
  notReady: "function",
  functionUnavailable: "function",
  functionThrottled: "function",
  atConcurrency: "function",
  accountConcurrency: "function",
  adaptiveLimit: "function",
  sharedMaximumTaken: "function",
  waitsForSlot: "function",
  destinationUnavailable: "destination",
  destinationRejected: "destination",
  sourceThrottled: "reading",
  sourceUnavailable: "reading",
  sourceDenied: "reading",
  sourceGone: "reading",
  sourceSilent: "reading",
  sourceHoldsBack: "reading",
  readingFull: "reading",
  budgetTaken: "reading",
  trimmedGap: "reading",
  skippingSettled: "reading",
  filterPassesNothing: "reading",
  waitsForParent: "ownership",
  waitsForLease: "ownership",
  handingOver: "ownership",
  leaseNotRenewed: "ownership",
  unowned: "ownership",
  [NO_SHARDS]: "ownership",
  groupRebalancing: "ownership",
  storesDiffer: "ownership",
  groupBusy: "queue",
  messagesHidden: "queue",
  waitsForPlace: "queue",
  movesToDeadLetter: "queue",
  redrivePaced: "byDesign",
  redrivePaused: "redrive",
  redriveWaits: "redrive",
  redriveUnreadable: "redrive",
  redriveUncertain: "redrive",
  eventsShut: "events",
  eventsWait: "events",
  eventsFail: "events",
  eventsHeldBack: "events",
  eventsFull: "events",
  deliveryWaits: "events",
  scheduleOff: "events",
  scheduleOver: "events",
  ticksMissed: "events",
  frontOff: "events",
  disabled: "control",
  updating: "control",
  manifestShadowed: "control",
  cannotStart: "control",
  stopping: "control",
  storeUnavailable: "store",
  checkpointFails: "store",
  failed: "defect",
  unknown: "defect",
} as const satisfies Readonly<Record<string, ReasonScope>>;

export type ReasonCode = keyof typeof SCOPES;
/** Codes of a scope. */
export type CodeOf<Scope extends ReasonScope> = {
  [Code in ReasonCode]: (typeof SCOPES)[Code] extends Scope ? Code : never;
}[ReasonCode];

export const REASON_CODES = Object.keys(SCOPES).filter(isReasonCode);

function isReasonCode(code: string): code is ReasonCode {
  return Object.hasOwn(SCOPES, code);
}

/** What makes a part wait; times are epoch milliseconds. */
export interface Reason {
  readonly code: ReasonCode;
  readonly sinceMs: number | undefined;
  /** Until when it is by design, or when the next try is. */
  readonly untilMs: number | undefined;
  readonly facts: Readonly<Record<string, string | number>>;
}

export function reason(
  code: ReasonCode,
  { sinceMs, untilMs, facts = {} }: Partial<Omit<Reason, "code">> = {},
): Reason {
  return { code, sinceMs, untilMs, facts };
}

export function scopeOf(code: ReasonCode): ReasonScope {
  return SCOPES[code];
}

/** It says that nothing stands still. */
export function isNoReason(code: ReasonCode): boolean {
  return SCOPES[code] === "none";
}
