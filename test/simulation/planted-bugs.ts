import { BATCHES_BUGS } from "./planted/batches.ts";
import { OWNERSHIP_BUGS } from "./planted/ownership.ts";
import type { PlantedBug } from "./planted/planted-bug.ts";
import { PROGRESS_BUGS } from "./planted/progress.ts";

/** Every bug that the checkers have to catch within 2,000 seeds. */
export const PLANTED_BUGS: readonly PlantedBug[] = [...PROGRESS_BUGS, ...OWNERSHIP_BUGS, ...BATCHES_BUGS];
