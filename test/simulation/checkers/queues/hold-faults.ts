import { canHappen } from "../../queue-ledger.ts";
import type { Scenario } from "../../scenario.ts";

/** By these holds end in the hands of an honest engine. */
const HOLD_FAULTS = [
  "extension failed",
  "extension applied, reply lost",
  "extension failed in part",
  "extension slow",
  "receive slow",
  "message duplicated",
  "hold ended by the queue",
  "timer late",
] as const;

export function mayLoseHolds(scenario: Scenario): boolean {
  return canHappen(scenario, HOLD_FAULTS, ["pause", "outage"]);
}
