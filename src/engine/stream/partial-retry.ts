import type { BufferedRecord } from "./buffered-record.ts";

export interface SplitBatch {
  readonly settled: readonly BufferedRecord[];
  /** In the order of the batch. */
  readonly again: readonly BufferedRecord[];
}

/**
 * What a partial response leaves of a batch. `fromFirst`: the first record that failed and all behind it come again
 * (streams §5.4). `listed`: those that failed, and behind each of them the records of its key, so that a key goes on in
 * order with the record that failed (kafka §4, decision 0017).
 */
export function splitByFailures(
  records: readonly BufferedRecord[],
  failed: ReadonlySet<number>,
  rule: "fromFirst" | "listed",
): SplitBatch {
  return rule === "listed" ? keepListed(records, failed) : keepFromFirst(records, failed);
}

function keepFromFirst(records: readonly BufferedRecord[], failed: ReadonlySet<number>): SplitBatch {
  let first = records.length;
  // plant: a-partial-response-settles-up-to-the-last-failure-named
  for (const index of failed) first = Math.min(first, index);
  return { settled: records.slice(0, first), again: records.slice(first) };
}

function keepListed(records: readonly BufferedRecord[], failed: ReadonlySet<number>): SplitBatch {
  const failedKeys = new Set<string>();
  const settled: BufferedRecord[] = [];
  const again: BufferedRecord[] = [];
  for (const [index, buffered] of records.entries()) {
    const { key } = buffered.record;
    // plant: the-records-of-a-listed-records-key-are-settled-behind-it
    const isHeldBack = key !== undefined && failedKeys.has(key);
    // plant: listed-records-are-settled-with-the-others
    if (failed.has(index) || isHeldBack) again.push(buffered);
    else settled.push(buffered);
    if (failed.has(index) && key !== undefined) failedKeys.add(key);
  }
  return { settled, again };
}
