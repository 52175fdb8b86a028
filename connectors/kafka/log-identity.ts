import type { EpochEnd } from "./fetch-response.ts";

/** The leader that wrote a log's records from an offset on, as a number that rises with every election (KIP-101). */
export interface EpochStart {
  readonly epoch: number;
  readonly from: number;
}

/** What is known of the log that a partition's offsets belong to. */
export interface LogIdentity {
  /** The topic's id; another one for a topic that was made anew under the name. `undefined`: not known. */
  readonly topicId: string | undefined;
  /** In order, the newest that were read; empty: not known. Where the log went back, they tell how far (KIP-320). */
  readonly epochs: readonly EpochStart[];
}

export const UNKNOWN_LOG: LogIdentity = { topicId: undefined, epochs: [] };
/** Records that are on their way are of few epochs; of older ones nothing is asked. */
const EPOCHS_MAX = 8;
const RADIX = 36;
const TEXT = /^([0-9A-Za-z_-]{22})?(?:~((?:[0-9a-z]{1,7}\.[0-9a-z]{1,11}(?:,(?=[0-9a-z])|$))+))?$/;
/** Longest `formatLogId`, with some room. */
export const LOG_ID_CHARS_MAX = 250;

/** `<topic id>~<epoch>.<from>,…`, numbers in base 36; `undefined`: nothing is known. */
export function formatLogId({ topicId = "", epochs }: LogIdentity): string | undefined {
  const lineage = epochs.map(({ epoch, from }) => `${epoch.toString(RADIX)}.${from.toString(RADIX)}`);
  const text = lineage.length === 0 ? topicId : `${topicId}~${lineage.join(",")}`;
  return text === "" ? undefined : text;
}

/** What cannot be read is not known: a checkpoint may come from another version. */
export function parseLogId(text: string | undefined): LogIdentity {
  if (text === undefined || text.length > LOG_ID_CHARS_MAX) return UNKNOWN_LOG;
  const [, topicId, lineage] = TEXT.exec(text) ?? [];
  const epochs = (lineage ?? "").split(",").flatMap((entry) => {
    const [epoch = Number.NaN, from = Number.NaN] = entry
      .split(".")
      .map((digits) => Number.parseInt(digits, RADIX));
    return Number.isSafeInteger(epoch) && Number.isSafeInteger(from) ? [{ epoch, from }] : [];
  });
  return { topicId, epochs };
}

/** The epoch of the record before an offset; −1: not known. */
export function epochBefore(epochs: readonly EpochStart[], offset: number): number {
  return epochs.findLast(({ from }) => from < offset)?.epoch ?? -1;
}

export function withEpoch(epochs: readonly EpochStart[], next: EpochStart): readonly EpochStart[] {
  const last = epochs.at(-1)?.epoch ?? -1;
  return next.epoch > last ? [...epochs, next].slice(-EPOCHS_MAX) : epochs;
}

export function epochsBefore(epochs: readonly EpochStart[], offset: number): readonly EpochStart[] {
  return epochs.filter(({ from }) => from < offset);
}

/** Whether what was read up to `offset`, its last record in this epoch, is not what the log holds now. */
export function hasParted(end: EpochEnd, epoch: number, offset: number): boolean {
  return end.epoch < epoch || end.endOffset < offset;
}

/**
 * Up to where a log that answers with `end` may be the one that was read to `offset`. Asked of again there, it may turn
 * out to be less; each answer takes away at least one epoch or one record.
 */
export function partingOffset(epochs: readonly EpochStart[], end: EpochEnd, offset: number): number {
  const index = epochs.findLastIndex(({ epoch }) => epoch <= end.epoch);
  const own = epochs[index];
  if (own === undefined) return Math.min(offset, end.endOffset, epochs[0]?.from ?? offset);
  const ownEnd = Math.min(offset, epochs[index + 1]?.from ?? offset);
  return own.epoch === end.epoch ? Math.min(ownEnd, end.endOffset) : ownEnd;
}

/** Up to where the log whose ends of epochs these are is the one that was read to `offset`. */
export async function findParting(
  epochs: readonly EpochStart[],
  offset: number,
  endOf: (epoch: number) => Promise<EpochEnd | undefined>,
): Promise<number> {
  let at = offset;
  for (;;) {
    const epoch = epochBefore(epochs, at);
    const end = epoch < 0 ? undefined : await endOf(epoch);
    if (end === undefined || !hasParted(end, epoch, at)) return at;
    const known = epochsBefore(epochs, at);
    at = partingOffset(known, end, at);
  }
}
