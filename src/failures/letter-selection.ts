import type { EventRecord } from "../ports/event-records.ts";
import { keyHashOf, rowIdOf } from "./failure-names.ts";

/** Which dead letters a redrive takes, as it is kept with the redrive. */
export interface LetterSelection {
  readonly keyHash?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  /** Epoch milliseconds: sent from this on, and before that. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export function isLetterOf(letter: EventRecord, queue: string, selection: string): boolean {
  const {
    keyHash,
    ids,
    sinceMs = 0,
    untilMs = Number.POSITIVE_INFINITY,
  }: LetterSelection = JSON.parse(selection);
  const { arrivalMs = 0 } = letter;
  if (arrivalMs < sinceMs || arrivalMs >= untilMs) return false;
  if (keyHash !== undefined && keyHashOf(letter.key) !== keyHash) return false;
  return ids === undefined || ids.includes(rowIdOf(`${queue}/${letter.itemId}`));
}
