import type { SettledRange } from "../../src/model/checkpoint.ts";

/** Brokers take 4,096 bytes by default (`offset.metadata.max.bytes`); some room is left for those that take a little less. */
export const METADATA_BYTES_MAX = 4_000;

/** What a commit's metadata holds beside the committed offset. Ranges are of decimal offsets. */
export interface CommitNotes {
  readonly revision: number;
  readonly settledRanges: readonly SettledRange[];
}

/**
 * `millrace/1 <committed offset> <revision> <gap>.<more>,<gap>.<more>…`, all numbers in base 36: each range by its distance
 * from the end of the one before, the first from the committed offset, and by how many records it holds beyond one.
 */
const FORMAT = /^millrace\/1 ([0-9a-z]{1,11}) ([0-9a-z]{1,11}) ((?:[0-9a-z]{1,11}\.[0-9a-z]{1,11},?)*)$/;
const RADIX = 36;

/**
 * Metadata for a commit of `offset`, the next one to read. ASCII. Ranges that do not fit are left out from the far end: a
 * restart then repeats them, and nothing is lost.
 */
export function encodeCommitMetadata(offset: number, { revision, settledRanges }: CommitNotes): string {
  let text = `millrace/1 ${offset.toString(RADIX)} ${revision.toString(RADIX)} `;
  let next = offset;
  let separator = "";
  for (const range of settledRanges) {
    // The first range may begin before the mark that is committed.
    const from = Math.max(Number(range.from), next);
    const to = Number(range.to);
    if (to < from) continue;
    const part = `${separator}${(from - next).toString(RADIX)}.${(to - from).toString(RADIX)}`;
    if (text.length + part.length > METADATA_BYTES_MAX) break;
    text += part;
    separator = ",";
    next = to + 1;
  }
  return text;
}

/**
 * `undefined`: not ours, of another version, damaged, or written for another offset, as when an operator reset the group;
 * the offset alone then counts.
 */
export function decodeCommitMetadata(offset: number, metadata: string | null): CommitNotes | undefined {
  if (metadata === null || metadata.length > METADATA_BYTES_MAX) return undefined;
  const [, offsetText = "", revisionText = "", rangesText = ""] = FORMAT.exec(metadata) ?? [];
  if (rangesText.endsWith(",")) return undefined;
  const revision = Number.parseInt(revisionText, RADIX);
  if (Number.parseInt(offsetText, RADIX) !== offset || !Number.isSafeInteger(revision)) return undefined;
  const settledRanges: SettledRange[] = [];
  let next = offset;
  for (const part of rangesText === "" ? [] : rangesText.split(",")) {
    const [gap = Number.NaN, more = Number.NaN] = part.split(".").map((text) => Number.parseInt(text, RADIX));
    const from = next + gap;
    const to = from + more;
    if (!Number.isSafeInteger(to + 1)) return undefined;
    settledRanges.push({ from: String(from), to: String(to) });
    next = to + 1;
  }
  return { revision, settledRanges };
}
