import { NO_SHARDS, type ReasonCode, type ReasonScope, scopeOf } from "../model/reason.ts";

/** How bad it is: nothing, a thing to know, a wait that ends by itself under load, a failure, a defect. */
export const GRAVITY = { none: 0, note: 1, wait: 2, failure: 3, defect: 4 } as const;

const BY_SCOPE: Readonly<Record<ReasonScope, number>> = {
  none: GRAVITY.none,
  byDesign: GRAVITY.note,
  record: GRAVITY.failure,
  function: GRAVITY.wait,
  destination: GRAVITY.failure,
  reading: GRAVITY.failure,
  ownership: GRAVITY.wait,
  queue: GRAVITY.wait,
  redrive: GRAVITY.wait,
  events: GRAVITY.failure,
  control: GRAVITY.note,
  store: GRAVITY.failure,
  defect: GRAVITY.defect,
};

/** Codes that are not as bad as the rest of their scope, or worse. */
const OWN: Readonly<Partial<Record<ReasonCode, number>>> = {
  functionUnavailable: GRAVITY.failure,
  functionThrottled: GRAVITY.failure,
  readingFull: GRAVITY.wait,
  budgetTaken: GRAVITY.wait,
  sourceHoldsBack: GRAVITY.wait,
  trimmedGap: GRAVITY.note,
  skippingSettled: GRAVITY.note,
  filterPassesNothing: GRAVITY.note,
  handingOver: GRAVITY.note,
  [NO_SHARDS]: GRAVITY.note,
  groupRebalancing: GRAVITY.note,
  leaseNotRenewed: GRAVITY.failure,
  storesDiffer: GRAVITY.failure,
  messagesHidden: GRAVITY.note,
  movesToDeadLetter: GRAVITY.failure,
  redrivePaused: GRAVITY.note,
  eventsWait: GRAVITY.wait,
  eventsHeldBack: GRAVITY.wait,
  scheduleOff: GRAVITY.note,
  scheduleOver: GRAVITY.note,
  redriveUnreadable: GRAVITY.failure,
  redriveUncertain: GRAVITY.failure,
  updating: GRAVITY.note,
  cannotStart: GRAVITY.failure,
};

export function gravityOf(code: ReasonCode): number {
  return OWN[code] ?? BY_SCOPE[scopeOf(code)];
}
