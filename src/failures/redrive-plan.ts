import type { Position } from "../model/record.ts";
import type { FailureItem, FailureRow } from "../ports/failure-index.ts";

/** The place of a record that was given up, among those of a redrive. */
export interface PlannedItem {
  readonly row: FailureRow;
  /** Its place among the row's items. */
  readonly index: number;
  readonly item: FailureItem;
}

export type ComparePositions = (a: Position, b: Position) => number;

/**
 * The records of failures in the order in which they were read first: shard by shard, those first that began first,
 * since a shard that came of a split or merge has only what is newer; and each once, however often it was given up.
 * With a key: the records of that key alone.
 */
export function plannedItems(
  rows: readonly FailureRow[],
  compare: ComparePositions,
  keyHash?: string,
): readonly PlannedItem[] {
  const byShard = Map.groupBy(rows, ({ shardId }) => shardId);
  const shards = [...byShard.values()].flatMap((own) => {
    const items = ofShard(own, compare, keyHash);
    return items[0] === undefined ? [] : [{ first: items[0].item.position, items }];
  });
  return shards.toSorted((a, b) => compare(a.first, b.first)).flatMap(({ items }) => items);
}

function ofShard(
  rows: readonly FailureRow[],
  compare: ComparePositions,
  keyHash: string | undefined,
): readonly PlannedItem[] {
  const seen = new Set<Position>();
  const planned: PlannedItem[] = [];
  for (const row of rows) {
    // Records of one aggregate may share a position: only another failure's are the same records.
    const own = new Set<Position>();
    for (const [index, item] of row.items.entries()) {
      // plant: a-record-that-was-given-up-twice-is-redriven-twice
      if (seen.has(item.position)) continue;
      own.add(item.position);
      if (keyHash === undefined || item.keyHash === keyHash) planned.push({ row, index, item });
    }
    for (const position of own) seen.add(position);
  }
  return planned.toSorted((a, b) => compare(a.item.position, b.item.position) || a.index - b.index);
}

/** What a redrive of these would do. */
export interface RedrivePlan {
  readonly failures: number;
  readonly records: number;
  readonly keys: number;
  readonly shards: number;
  readonly bytes: number;
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
}

export function summaryOfPlan(items: readonly PlannedItem[]): RedrivePlan {
  const rows = [...new Set(items.map(({ row }) => row))];
  const times = rows.map(({ atMs }) => atMs).sort((a, b) => a - b);
  return {
    failures: rows.length,
    records: items.length,
    keys: new Set(items.map(({ item }) => item.keyHash).filter((hash) => hash !== undefined)).size,
    shards: new Set(rows.map(({ shardId }) => shardId)).size,
    bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
    fromMs: times[0],
    untilMs: times.at(-1),
  };
}
