import { ASSERTION_BUGS } from "./planted/assertions.ts";
import { BALANCE_BUGS } from "./planted/balance.ts";
import { BATCHES_BUGS } from "./planted/batches.ts";
import { LOG_BUGS } from "./planted/logs.ts";
import { OWNERSHIP_BUGS } from "./planted/ownership.ts";
import type { PlantedBug } from "./planted/planted-bug.ts";
import { PROGRESS_BUGS } from "./planted/progress.ts";
import { QUEUE_FLOW_BUGS, QUEUE_GROUP_BUGS } from "./planted/queue-flow.ts";
import { QUEUE_RECEIVE_BUGS } from "./planted/queue-receives.ts";
import { QUEUE_SETTLEMENT_BUGS } from "./planted/queue-settlements.ts";
import { QUEUE_SHARE_BUGS } from "./planted/queue-share.ts";
import { SIDE_BUGS } from "./planted/sides.ts";
import { SOURCE_WORD_BUGS } from "./planted/source-word.ts";
import { STANDSTILL_BUGS } from "./planted/standstills.ts";
import { WINDOWS_BUGS } from "./planted/windows.ts";

/** Every bug that the checkers have to catch within 2,000 seeds. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...PROGRESS_BUGS,
  ...OWNERSHIP_BUGS,
  ...BATCHES_BUGS,
  ...QUEUE_SETTLEMENT_BUGS,
  ...QUEUE_GROUP_BUGS,
  ...QUEUE_FLOW_BUGS,
  ...QUEUE_SHARE_BUGS,
  ...QUEUE_RECEIVE_BUGS,
  ...WINDOWS_BUGS,
  ...BALANCE_BUGS,
  ...STANDSTILL_BUGS,
  ...SOURCE_WORD_BUGS,
  ...LOG_BUGS,
  ...ASSERTION_BUGS,
  ...SIDE_BUGS,
];
