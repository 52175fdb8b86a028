import type { RefusalReason } from "../../ports/invoker.ts";
import type { AttemptFailure } from "../explanation.ts";

/** Why the function's door let an attempt not in. */
const CODES = {
  zeroConcurrency: "zeroConcurrency",
  noSuchFunction: "noSuchFunction",
  notReady: "notReady",
  reservedConcurrency: "atConcurrency",
  concurrency: "atConcurrency",
  accountConcurrency: "accountConcurrency",
  // Calls of mappings bring no chain that could be cut.
  recursion: "notReady",
} as const satisfies Readonly<Record<RefusalReason, AttemptFailure>>;

export function refusalCode(why: RefusalReason): AttemptFailure {
  return CODES[why];
}

/** The function was not called: once it is, this says nothing any more. */
export function isRefusalCode(code: AttemptFailure): boolean {
  return Object.values<AttemptFailure>(CODES).includes(code);
}
