import { MillraceError } from "../../src/model/errors.ts";
import type { Position } from "../../src/model/record.ts";

const PATTERN = /^(?:-1|0|[1-9]\d{0,15})$/;

/** The offset of a position: decimal digits; `-1` stands before the first record. */
export function parsePosition(position: Position): number {
  if (!PATTERN.test(position)) {
    throw new MillraceError(
      "ERR_MILLRACE_SOURCE_NOT_FOUND",
      `"${position.slice(0, 60)}" is not an offset of a Kafka partition. The checkpoint was written for another source.`,
    );
  }
  return Number(position);
}

export function comparePositions(a: Position, b: Position): number {
  return a === b ? 0 : Number(a) - Number(b);
}
