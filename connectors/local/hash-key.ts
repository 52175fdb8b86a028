import { hash } from "node:crypto";
import { MillraceError } from "../../src/model/errors.ts";

/**
 * Hash keys place records on shards as in Kinesis: the MD5 of the partition key is a number of 128 bits, and each open
 * shard owns a range of them. Written as 32 hexadecimal digits, whose text order is the numbers' order.
 */
export type HashKey = string;

export interface HashRange {
  readonly start: HashKey;
  /** Included. */
  readonly end: HashKey;
}

const KEY_COUNT = 1n << 128n;

export function hashKeyOf(partitionKey: string): HashKey {
  return hash("md5", partitionKey, "hex");
}

/** From Kinesis's notation: a decimal number. */
export function parseHashKey(decimal: string): HashKey {
  const value = /^\d{1,39}$/.test(decimal) ? BigInt(decimal) : KEY_COUNT;
  if (value >= KEY_COUNT) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `"${decimal.slice(0, 50)}" is not a hash key: it must be a decimal number below 2^128.`,
    );
  }
  return toHashKey(value);
}

export function toDecimal(key: HashKey): string {
  return toNumber(key).toString();
}

/** All hash keys in `parts` ranges of nearly the same size. */
export function evenRanges(parts: number): readonly HashRange[] {
  const count = BigInt(parts);
  return Array.from({ length: parts }, (_, index) => ({
    start: toHashKey((KEY_COUNT * BigInt(index)) / count),
    end: toHashKey((KEY_COUNT * BigInt(index + 1)) / count - 1n),
  }));
}

/** Two ranges, the second beginning at `at` or, without it, in the middle; `undefined` when that is not possible. */
export function splitRange({ start, end }: HashRange, at?: HashKey): [HashRange, HashRange] | undefined {
  const middle = at ?? toHashKey((toNumber(start) + toNumber(end) + 1n) / 2n);
  if (middle <= start || middle > end) return undefined;
  return [
    { start, end: toHashKey(toNumber(middle) - 1n) },
    { start: middle, end },
  ];
}

/** The range of both, when one begins where the other ends. */
export function joinRanges(a: HashRange, b: HashRange): HashRange | undefined {
  const [low, high] = a.start < b.start ? [a, b] : [b, a];
  if (toNumber(low.end) + 1n !== toNumber(high.start)) return undefined;
  return { start: low.start, end: high.end };
}

function toHashKey(value: bigint): HashKey {
  return value.toString(16).padStart(32, "0");
}

function toNumber(key: HashKey): bigint {
  return BigInt(`0x${key}`);
}
