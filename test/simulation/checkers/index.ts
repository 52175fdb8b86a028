import type { History, InvariantId } from "../history.ts";
import { createLedger } from "../ledger.ts";
import { createQueueLedger } from "../queue-ledger.ts";
import type { Checker, Violation } from "./checker.ts";
import { noLoss } from "./i1-no-loss.ts";
import { keyOrder } from "./i2-key-order.ts";
import { attempts } from "./i3-attempts.ts";
import { checkpointMonotone } from "./i4-checkpoint-monotone.ts";
import { checkpointSafety } from "./i5-checkpoint-safety.ts";
import { singleOwner } from "./i6-single-owner.ts";
import { duplicates } from "./i7-duplicates.ts";
import { poisonIsolation } from "./i9-poison-isolation.ts";
import { memory } from "./i10-memory.ts";
import { fairness } from "./i11-fairness.ts";
import { lineage } from "./i12-lineage.ts";
import { batches } from "./i13-batches.ts";
import { shutdown } from "./i15-shutdown.ts";
import { liveness } from "./i16-liveness.ts";
import { sourceWord } from "./i20-source-word.ts";
import { identity } from "./i21-identity.ts";
import { progress } from "./i22-progress.ts";
import { damage } from "./i23-damage.ts";
import { balance } from "./i26-balance.ts";
import { orderUnderRollout, sides } from "./i38-sides.ts";
import { parkedIsolation } from "./k4-parked-isolation.ts";
import { faithfulParking } from "./k9-faithful.ts";
import { parkingGuard } from "./k10-parking-guard.ts";
import { QUEUE_CHECKERS } from "./queues/index.ts";
import { tumblingWindows } from "./tumbling-windows.ts";

export const CHECKERS: readonly Checker[] = [
  noLoss,
  keyOrder,
  attempts,
  checkpointMonotone,
  checkpointSafety,
  singleOwner,
  duplicates,
  poisonIsolation,
  memory,
  fairness,
  lineage,
  batches,
  shutdown,
  liveness,
  sourceWord,
  identity,
  progress,
  damage,
  tumblingWindows,
  balance,
  sides,
  orderUnderRollout,
  parkedIsolation,
  faithfulParking,
  parkingGuard,
];

/** One violation says it; a broken rule tends to be broken a thousand times. */
const PER_CHECKER_MAX = 3;

export function checkHistory(history: History): Violation[] {
  const violations: Violation[] = history.breaches.map((breach) => ({ ...breach, mapping: undefined }));
  for (const mapping of history.mappings) {
    const ledger = createLedger(history, mapping);
    for (const checker of CHECKERS) {
      const report = reporter(violations, checker.id, mapping.mapping.name);
      checker.check({ history, mapping, ledger, report });
    }
  }
  for (const queue of history.queues) {
    const ledger = createQueueLedger(queue);
    for (const checker of QUEUE_CHECKERS) {
      const report = reporter(violations, checker.id, queue.mapping.name);
      checker.check({ history, queue, ledger, report });
    }
  }
  return violations;
}

function reporter(violations: Violation[], invariant: InvariantId, mapping: string) {
  let count = 0;
  return (at: number, message: string) => {
    if (count++ < PER_CHECKER_MAX) violations.push({ invariant, at, mapping, message });
  };
}
