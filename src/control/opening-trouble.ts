import type { StartReason } from "../engine/engine.ts";
import { describeError, hasErrorCode, isPassingFault, MillraceError } from "../model/errors.ts";

/** Why a mapping that is wanted does not poll. */
export interface OpeningTrouble {
  /** For people, a line for each thing that is in the way. */
  readonly text: string;
  /** It may end by itself. If not, somebody has to change something; it is looked at again all the same. */
  readonly isPassing: boolean;
  /** Absent: `cannotStart`. */
  readonly reason?: StartReason;
}

export function troubleOf(error: unknown): OpeningTrouble {
  const text = error instanceof MillraceError ? error.message : describeError(error);
  return { text, isPassing: isPassingFault(error), reason: reasonOf(error) };
}

function reasonOf(error: unknown): StartReason {
  if (hasErrorCode(error, "ERR_MILLRACE_NO_FUNCTION")) return "noSuchFunction";
  return hasErrorCode(error, "ERR_MILLRACE_FUNCTION") ? "notReady" : "cannotStart";
}

/** While its rows cannot be read, a process runs nothing of them. */
export const OUT_OF_REACH: OpeningTrouble = {
  text: "The store is out of reach, and with it what is to be run: it starts again once the store answers.",
  isPassing: true,
};
