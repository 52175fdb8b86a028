import { describeError, isPassingFault, MillraceError } from "../model/errors.ts";

/** Why a mapping that is wanted does not poll. */
export interface OpeningTrouble {
  /** For people, a line for each thing that is in the way. */
  readonly text: string;
  /** It may end by itself. If not, somebody has to change something; it is looked at again all the same. */
  readonly isPassing: boolean;
}

export function troubleOf(error: unknown): OpeningTrouble {
  const text = error instanceof MillraceError ? error.message : describeError(error);
  return { text, isPassing: isPassingFault(error) };
}
