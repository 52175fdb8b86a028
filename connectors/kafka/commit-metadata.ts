import type { SettledRange } from "../../src/model/checkpoint.ts";

/**
 * Brokers take 4,096 bytes by default (`offset.metadata.max.bytes`); some room is left for those that take a little
 * less.
 */
export const METADATA_BYTES_MAX = 4_000;

/** What a commit's metadata holds beside the committed offset. Ranges are of decimal offsets. */
export interface CommitNotes {
  readonly revision: number;
  readonly settledRanges: readonly SettledRange[];
  /** The log that the offsets belong to (`formatLogId`). */
  readonly logId?: string | undefined;
}

/**
 * `millrace/2 <committed offset> <revision> <log id> <form><settled>`, numbers in base 36; `millrace/1` has no log id.
 * Earlier versions of Millrace take the offset alone from a form that they do not know: they repeat what was settled
 * ahead.
 */
const FORMAT =
  /^millrace\/(?:1(?= \S+ \S+ \S+$)|2(?= \S+ \S+ \S+ \S+$)) ([0-9a-z]{1,11}) ([0-9a-z]{1,11}) (?:([\w~.,-]{1,250}) )?([rb])(.*)$/;
/** `r`: `<gap>.<more>,…`: how far each range begins behind the one before, and how many records it has beyond one. */
const RANGES = /^(?:[0-9a-z]{1,11}\.[0-9a-z]{1,11}(?:,(?=[0-9a-z])|$))*$/;
/**
 * `b`: base64url of one bit for each offset from the committed one on, the first in the lowest bit of the first byte.
 */
const BITS = /^[0-9A-Za-z_-]*$/;
const RADIX = 36;

/**
 * Metadata for a commit of `offset`, the next one to read. ASCII. As ranges when they fit, else as bits, which hold
 * some 23,000 offsets however they are strewn: lanes settle every other record. What lies farther is left out: a
 * restart then repeats it, and nothing is lost.
 */
export function encodeCommitMetadata(
  offset: number,
  { revision, settledRanges, logId }: CommitNotes,
): string {
  const numbers = `${offset.toString(RADIX)} ${revision.toString(RADIX)}`;
  const head = logId === undefined ? `millrace/1 ${numbers} ` : `millrace/2 ${numbers} ${logId} `;
  const room = METADATA_BYTES_MAX - head.length - 1;
  const ahead = settledRanges
    // The first range may begin before the mark that is committed.
    .map(({ from, to }) => ({ from: Math.max(Number(from), offset), to: Number(to) }))
    .filter(({ from, to }) => from <= to);
  const ranges = encodeRanges(offset, ahead, room);
  return head + (ranges === undefined ? `b${encodeBits(offset, ahead, room)}` : `r${ranges}`);
}

/**
 * `undefined`: not ours, of another version, damaged, or written for another offset, as when an operator reset the
 * group; the offset alone then counts.
 */
export function decodeCommitMetadata(offset: number, metadata: string | null): CommitNotes | undefined {
  if (metadata === null || metadata.length > METADATA_BYTES_MAX) return undefined;
  const [, offsetText = "", revisionText = "", logId, form = "", settled = ""] = FORMAT.exec(metadata) ?? [];
  const revision = Number.parseInt(revisionText, RADIX);
  if (Number.parseInt(offsetText, RADIX) !== offset || !Number.isSafeInteger(revision)) return undefined;
  const settledRanges = form === "r" ? decodeRanges(offset, settled) : decodeBits(offset, settled);
  if (settledRanges === undefined) return undefined;
  return { revision, settledRanges, ...(logId === undefined ? {} : { logId }) };
}

interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** `undefined`: they do not fit. */
function encodeRanges(offset: number, ranges: readonly OffsetRange[], charsMax: number): string | undefined {
  let text = "";
  let next = offset;
  for (const { from, to } of ranges) {
    text += `${text === "" ? "" : ","}${(from - next).toString(RADIX)}.${(to - from).toString(RADIX)}`;
    if (text.length > charsMax) return undefined;
    next = to + 1;
  }
  return text;
}

function decodeRanges(offset: number, text: string): readonly SettledRange[] | undefined {
  if (!RANGES.test(text)) return undefined;
  const ranges: SettledRange[] = [];
  let next = offset;
  for (const part of text === "" ? [] : text.split(",")) {
    const [gap = Number.NaN, more = Number.NaN] = part
      .split(".")
      .map((digits) => Number.parseInt(digits, RADIX));
    const from = next + gap;
    const to = from + more;
    if (!Number.isSafeInteger(to + 1)) return undefined;
    ranges.push(rangeOf(from, to));
    next = to + 1;
  }
  return ranges;
}

function encodeBits(offset: number, ranges: readonly OffsetRange[], charsMax: number): string {
  const bits = Buffer.alloc(Math.floor((charsMax * 6) / 8));
  const end = offset + bits.length * 8;
  let last = offset - 1;
  for (const { from, to } of ranges) {
    for (let settled = from; settled <= to && settled < end; settled++) {
      const index = settled - offset;
      bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
      last = settled;
    }
  }
  return bits.subarray(0, Math.ceil((last - offset + 1) / 8)).toString("base64url");
}

function decodeBits(offset: number, text: string): readonly SettledRange[] | undefined {
  if (!BITS.test(text)) return undefined;
  const bits = Buffer.from(text, "base64url");
  const end = bits.length * 8;
  if (!Number.isSafeInteger(offset + end)) return undefined;
  const ranges: SettledRange[] = [];
  let from = -1;
  for (let index = 0; index <= end; index++) {
    const isSettled = index < end && ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
    if (isSettled && from < 0) from = index;
    if (isSettled || from < 0) continue;
    ranges.push(rangeOf(offset + from, offset + index - 1));
    from = -1;
  }
  return ranges;
}

function rangeOf(from: number, to: number): SettledRange {
  return { from: String(from), to: String(to) };
}
