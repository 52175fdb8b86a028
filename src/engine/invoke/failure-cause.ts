import type { FailureCause } from "../../model/function-error.ts";
import type { OutcomeOfRun } from "../../model/outcome.ts";

type Failure = Extract<OutcomeOfRun, { readonly kind: "functionError" | "timedOut" }>;

const TIMED_OUT = {
  errorType: "Sandbox.Timedout",
  message: "The function did not answer by its deadline.",
} as const;

/** What is kept with a batch of the failure of its function; `undefined`: nobody has noted it. */
export function failureCause(failure: Failure): FailureCause | undefined {
  const { errorId: id, detail } = failure;
  if (id === undefined) return undefined;
  if (failure.kind === "timedOut") return { id, ...TIMED_OUT };
  const { errorType, message } = failure;
  return { id, errorType, message, ...(detail?.stack === undefined ? {} : { stack: detail.stack }) };
}
