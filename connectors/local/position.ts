import { MillraceError } from "../../src/model/errors.ts";
import type { Position } from "../../src/model/record.ts";

/** A position is a sequence number in decimal digits, of fixed width so that lists of them are easy to read. */
const DIGITS = 20;

export function formatPosition(sequence: number): Position {
  return String(sequence).padStart(DIGITS, "0");
}

/** @throws ERR_MILLRACE_SOURCE_NOT_FOUND for what no local stream ever gave as a position. */
export function parsePosition(position: Position): number {
  const sequence = /^\d+$/.test(position) ? Number(position) : Number.NaN;
  if (!Number.isSafeInteger(sequence)) {
    throw new MillraceError(
      "ERR_MILLRACE_SOURCE_NOT_FOUND",
      `"${position.slice(0, 60)}" is not a position of a local stream. The checkpoint was written for another source: ` +
        "give the mapping a new uuid, or remove its progress from the store.",
    );
  }
  return sequence;
}

export function comparePositions(a: Position, b: Position): number {
  return Number(a) - Number(b);
}
