import { ProducerFault } from "./producer-fault.ts";

const SHOWN_CHARS_MAX = 256;

/** `Value '…' at '…' failed to satisfy constraint: …`, as AWS's front end says it. */
export function violated(value: string | number | undefined, at: string, constraint: string): ProducerFault {
  const shown = value === undefined ? "null" : `'${String(value).slice(0, SHOWN_CHARS_MAX)}'`;
  const message = `1 validation error detected: Value ${shown} at '${at}' failed to satisfy constraint: ${constraint}`;
  return new ProducerFault("ValidationException", message);
}

export const NOT_NULL = "Member must not be null";

export function longest(most: number): string {
  return `Member must have length less than or equal to ${most}`;
}

export function shortest(least: number): string {
  return `Member must have length greater than or equal to ${least}`;
}
