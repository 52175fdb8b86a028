import { MillraceError } from "../../model/errors.ts";

/** What the control API answers for every pattern that is not valid, whatever is wrong with it (filters §4). */
export const ESM_INVALID_PATTERN = "Invalid filter pattern definition.";

export const RULE_TOO_COMPLEX = "Rule is too complex";

/** Why a pattern was refused, while it is being read. The public functions turn it into a `MillraceError` or a text. */
export class PatternFault extends Error {
  /** The reason in AWS's words (filters §4), where AWS has words for it. */
  readonly reason: string;
  /** Path of field names inside the pattern; empty for the pattern as a whole. */
  readonly place: readonly string[];

  constructor(reason: string, place: readonly string[]) {
    super(reason);
    this.name = "PatternFault";
    this.reason = reason;
    this.place = place;
  }
}

/** `subject` names the pattern for its owner: "Filter pattern 2 of 3". */
export function patternError(fault: PatternFault, subject: string): MillraceError {
  const place = fault.place.length === 0 ? "" : ` at ${fault.place.join(".")}`;
  return new MillraceError(
    "ERR_MILLRACE_FILTER_PATTERN",
    `${subject} is not valid${place}: ${endSentence(fault.reason)} ` +
      "Correct the pattern; `millrace test-pattern` tries one against an event.",
    { cause: fault },
  );
}

function endSentence(reason: string): string {
  return reason.endsWith(".") ? reason : `${reason}.`;
}
