import { MillraceError } from "../../src/model/errors.ts";
import type { Position } from "../../src/model/record.ts";

/**
 * A position is a sequence number, and for a record out of a KPL aggregate `SEQUENCE.INDEX`: the records of an
 * aggregate share its sequence number, but each is settled by itself. The plain sequence number stands behind all of
 * them.
 */
export interface ParsedPosition {
  readonly sequenceNumber: string;
  /** Place in its aggregate, from 0; `undefined`: all of the sequence number. */
  readonly index: number | undefined;
}

const SEPARATOR = ".";
const PATTERN = /^(\d{1,128})(?:\.(\d{1,9}))?$/;

export function formatInnerPosition(sequenceNumber: string, index: number): Position {
  return sequenceNumber + SEPARATOR + index;
}

/** @throws ERR_MILLRACE_SOURCE_NOT_FOUND for what no Kinesis stream ever gave as a position. */
export function parsePosition(position: Position): ParsedPosition {
  const [, sequenceNumber, index] = PATTERN.exec(position) ?? [];
  if (sequenceNumber === undefined) {
    throw new MillraceError(
      "ERR_MILLRACE_SOURCE_NOT_FOUND",
      `"${position.slice(0, 60)}" is not a position of a Kinesis stream. The checkpoint was written for another source: ` +
        "give the mapping a new uuid, or remove its progress from the store.",
    );
  }
  return { sequenceNumber, index: index === undefined ? undefined : Number(index) };
}

export function comparePositions(a: Position, b: Position): number {
  if (a === b) return 0;
  const dotA = a.indexOf(SEPARATOR);
  const dotB = b.indexOf(SEPARATOR);
  if (dotA < 0 && dotB < 0) return compareDigits(a, b);
  const sequences = compareDigits(dotA < 0 ? a : a.slice(0, dotA), dotB < 0 ? b : b.slice(0, dotB));
  if (sequences !== 0) return sequences;
  if (dotA < 0 || dotB < 0) return dotA < 0 ? 1 : -1;
  return Number(a.slice(dotA + 1)) - Number(b.slice(dotB + 1));
}

/**
 * Compares decimal numbers without leading zeros, as sequence numbers are: a longer one is larger. No BigInt is made.
 */
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
