import type { FailureCondition } from "../model/failure-record.ts";
import type { FailureBookmark, FailureIndex, FailureRow } from "../ports/failure-index.ts";

/** Which failures somebody means; what is left out, all. */
export interface FailureFilter {
  /** UUID. */
  readonly mapping?: string | undefined;
  /** Epoch milliseconds: from this on, and before that. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly shards?: ShardRange | undefined;
  /** Those with a record of this key. */
  readonly keyHash?: string | undefined;
  /** Id or type. */
  readonly error?: string | undefined;
  readonly condition?: FailureCondition | undefined;
  readonly ids?: readonly string[] | undefined;
}

/** Both ends belong to it. */
export interface ShardRange {
  readonly from: string;
  readonly to: string;
}

const PAGE_ROWS = 500;

/** Rows that are meant, oldest first. */
export async function* rowsOf(
  index: FailureIndex,
  filter: FailureFilter,
  after?: FailureBookmark,
): AsyncGenerator<FailureRow> {
  const { mapping, sinceMs, untilMs } = filter;
  for (let last = after; ; ) {
    const page = await index.list({ mapping, sinceMs, untilMs, after: last, max: PAGE_ROWS });
    for (const row of page) if (isMeant(row, filter)) yield row;
    last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS) return;
  }
}

export function isMeant(row: FailureRow, filter: FailureFilter): boolean {
  const { mapping, sinceMs = 0, untilMs = Number.POSITIVE_INFINITY, shards, keyHash, error } = filter;
  if (mapping !== undefined && row.mapping !== mapping) return false;
  if (row.atMs < sinceMs || row.atMs >= untilMs) return false;
  if (filter.ids !== undefined && !filter.ids.includes(row.id)) return false;
  if (filter.condition !== undefined && row.condition !== filter.condition) return false;
  if (error !== undefined && row.error?.id !== error && row.error?.type !== error) return false;
  if (shards !== undefined && !isWithin(row.shardId, shards)) return false;
  return keyHash === undefined || row.items.some((item) => item.keyHash === keyHash);
}

/** By their names, or by the numbers that they end in where a bound is a number. */
function isWithin(shardId: string, { from, to }: ShardRange): boolean {
  return compareShards(from, shardId) <= 0 && compareShards(shardId, to) <= 0;
}

function compareShards(a: string, b: string): number {
  const isNumber = /^\d+$/;
  if (!isNumber.test(a) && !isNumber.test(b)) return a < b ? -1 : Number(a > b);
  return numberOf(a) - numberOf(b);
}

function numberOf(shard: string): number {
  return Number(/(\d+)$/.exec(shard)?.[1] ?? Number.NaN);
}
