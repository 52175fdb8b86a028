import { MillraceError } from "../../src/model/errors.ts";
import type { Position } from "../../src/model/record.ts";

/**
 * A position is the sequence number of a record, in decimal digits, as DynamoDB gives it.
 *
 * One position has no record: the latest point of an open shard in which nothing was seen yet. The API names that place
 * by an iterator only, so the position is `DIGITS@EPOCH_MS@ITERATOR`: the shard's first sequence number (which stands
 * before every record and gives the position its order), when the point was captured, and the iterator.
 */
export interface LatestPoint {
  readonly capturedMs: number;
  readonly iterator: string;
}

const SEQUENCE_NUMBER = /^\d{1,64}$/;
const LATEST_POINT = /^\d{1,64}@(\d{1,15})@(.{1,4096})$/;

export function formatLatestPoint(shardStart: string | undefined, point: LatestPoint): Position {
  return `${shardStart ?? "0"}@${point.capturedMs}@${point.iterator}`;
}

/** @throws ERR_MILLRACE_SOURCE_NOT_FOUND for what no DynamoDB stream ever gave as a position. */
export function parsePosition(position: Position): string | LatestPoint {
  if (SEQUENCE_NUMBER.test(position)) return position;
  const match = LATEST_POINT.exec(position);
  if (match?.[1] !== undefined && match[2] !== undefined) {
    return { capturedMs: Number(match[1]), iterator: match[2] };
  }
  throw new MillraceError(
    "ERR_MILLRACE_SOURCE_NOT_FOUND",
    `"${position.slice(0, 60)}" is not a position of a DynamoDB stream. The checkpoint was written for another source: ` +
      "give the mapping a new uuid, or remove its progress from the store.",
  );
}

/** By value: sequence numbers are too long for a number and differ in length. */
export function comparePositions(a: Position, b: Position): number {
  const left = significantDigits(a);
  const right = significantDigits(b);
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function significantDigits(position: Position): string {
  const end = position.indexOf("@");
  const digits = end === -1 ? position : position.slice(0, end);
  let start = 0;
  while (start < digits.length && digits.charCodeAt(start) === 0x30) start++;
  return digits.slice(start);
}
