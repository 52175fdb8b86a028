import type { PartReasons } from "../../../src/engine/engine.ts";
import { isNoReason, type Reason } from "../../../src/model/reason.ts";

/** What reading waits for: they say who holds what is full. */
const POINTING: readonly string[] = ["readingFull", "budgetTaken"];

/** What a process says of one of its mappings. */
export interface SaidOfMapping {
  readonly name: string;
  readonly parts: readonly PartReasons[];
}

/**
 * S3: who waits for room points to a part whose own reason is a cause, so that following it ends at one. Why that is
 * not so; `undefined`: it is. A queue's batches stand in the same part.
 */
export function brokenChain(
  { facts }: Reason,
  part: PartReasons,
  own: SaidOfMapping,
  all: readonly SaidOfMapping[],
): string | undefined {
  const { cause } = facts;
  if (cause === undefined) return "it points to nobody";
  if (part.part === "queue") return undefined;
  const pointed = own.parts.find((each) => each.part === cause);
  const parts = pointed === undefined ? (all.find(({ name }) => name === cause)?.parts ?? []) : [pointed];
  const isCause = parts.some(({ reasons }) =>
    reasons.some(({ code }) => !isNoReason(code) && !POINTING.includes(code)),
  );
  return isCause ? undefined : `it points to ${cause}, which gives no cause`;
}

export function isPointing({ code }: Reason): boolean {
  return POINTING.includes(code);
}
