import { MillraceError } from "../../src/model/errors.ts";
import type { Position } from "../../src/model/record.ts";

/**
 * Where reading goes on, as servers name places of a change stream.
 *
 * A position is the text of a resume token (`_id._data`, hexadecimal digits): that of a change, or of a place behind
 * which nothing has been yet. `TOKEN!` is that of an invalidation: the stream has ended there, and another begins
 * behind it. `@SECONDS.COUNT` is a time of operations, where a server gives no token: the first change at it or later.
 */
export type ChangePlace =
  | { readonly kind: "token"; readonly token: string; readonly isInvalidation: boolean }
  | { readonly kind: "time"; readonly time: OperationTime };

/** Seconds since 1970, and a count of the operations of that second from 1 on. */
export interface OperationTime {
  readonly seconds: number;
  readonly count: number;
}

const TOKEN = /^([0-9A-Fa-f]{2,8192})(!?)$/;
const TIME = /^@(\d{1,10})\.(\d{1,10})$/;

export function tokenPosition(token: string, isInvalidation = false): Position {
  return isInvalidation ? `${token}!` : token;
}

export function timePosition({ seconds, count }: OperationTime): Position {
  return `@${seconds}.${count}`;
}

export function positionOf(place: ChangePlace): Position {
  return place.kind === "time" ? timePosition(place.time) : tokenPosition(place.token, place.isInvalidation);
}

/** @throws ERR_MILLRACE_SOURCE_NOT_FOUND for what no change stream ever gave as a position. */
export function parsePosition(position: Position): ChangePlace {
  const [, token, mark] = TOKEN.exec(position) ?? [];
  if (token !== undefined) return { kind: "token", token, isInvalidation: mark === "!" };
  const [, seconds, count] = TIME.exec(position) ?? [];
  if (seconds !== undefined) {
    return { kind: "time", time: { seconds: Number(seconds), count: Number(count) } };
  }
  throw new MillraceError(
    "ERR_MILLRACE_SOURCE_NOT_FOUND",
    `"${position.slice(0, 60)}" is not a position of a change stream. The checkpoint was written for another source: ` +
      "give the mapping a new uuid, or remove its progress from the store.",
  );
}

/** What functions call a change. */
export function tokenOf(position: Position): string {
  return position.endsWith("!") ? position.slice(0, -1) : position;
}

/**
 * Servers make tokens so that their bytes have the order of the changes: the time of the operation comes first. A time
 * stands before all tokens of its operation.
 */
export function comparePositions(a: Position, b: Position): number {
  const [left, right] = [comparable(a), comparable(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The first byte of a token tells its type, the same for all tokens of a server. */
const TYPE_DIGITS = 2;

function comparable(position: Position): string {
  const [, seconds, count] = TIME.exec(position) ?? [];
  if (seconds === undefined) return tokenOf(position).toLowerCase().slice(TYPE_DIGITS);
  return hexadecimal(seconds) + hexadecimal(String(count));
}

function hexadecimal(digits: string): string {
  return Number(digits).toString(16).padStart(8, "0");
}
