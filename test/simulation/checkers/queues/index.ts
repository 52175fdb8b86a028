import { groupOrderUnderRollout, groupSides } from "../i38-sides.ts";
import { noLoss } from "./i1-no-loss.ts";
import { groupOrder } from "./i2-group-order.ts";
import { attempts } from "./i3-attempts.ts";
import { duplicates } from "./i7-duplicates.ts";
import { groups } from "./i8-groups.ts";
import { memory } from "./i10-memory.ts";
import { fairness } from "./i11-fairness.ts";
import { batches } from "./i13-batches.ts";
import { settleOnce } from "./i14-settle-once.ts";
import { shutdown } from "./i15-shutdown.ts";
import { liveness } from "./i16-liveness.ts";
import { honestDeadLetters } from "./i19-honest-dead-letters.ts";
import { damage } from "./i23-damage.ts";
import { balance } from "./i26-balance.ts";
import type { QueueChecker } from "./queue-checker.ts";
import { scaling } from "./scaling.ts";
import { sharedMaximum } from "./shared-maximum.ts";

export const QUEUE_CHECKERS: readonly QueueChecker[] = [
  noLoss,
  groupOrder,
  attempts,
  duplicates,
  groups,
  memory,
  fairness,
  batches,
  settleOnce,
  shutdown,
  liveness,
  honestDeadLetters,
  damage,
  balance,
  scaling,
  sharedMaximum,
  groupSides,
  groupOrderUnderRollout,
];
