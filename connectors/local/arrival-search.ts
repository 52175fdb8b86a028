import type { DatabaseSync } from "node:sqlite";

/** Finds by bisection the first record of a shard that arrived at a moment or later: arrival times never go back. */
export interface ArrivalSearch {
  /** Its sequence number; `undefined` when all records are older. Call it inside a transaction. */
  firstSince(shard: number, epochMs: number): number | undefined;
}

type Row = { readonly sequence: number; readonly arrival_ms: number };

export function createArrivalSearch(database: DatabaseSync): ArrivalSearch {
  const columns = "SELECT sequence, arrival_ms FROM record WHERE shard = ?";
  const first = database.prepare(`${columns} AND sequence >= ? ORDER BY sequence LIMIT 1`);
  const last = database.prepare(`${columns} ORDER BY sequence DESC LIMIT 1`);
  const firstFrom = (shard: number, sequence: number) => first.get(shard, sequence) as Row | undefined;
  return {
    firstSince(shard, epochMs) {
      const newest = last.get(shard) as Row | undefined;
      if (newest === undefined || newest.arrival_ms < epochMs) return undefined;
      let older = 0;
      let found = newest.sequence;
      // The range halves each time: at most 53 rounds for any sequence number.
      while (found - older > 1) {
        const middle = older + Math.floor((found - older) / 2);
        const row = firstFrom(shard, middle);
        if (row === undefined || row.arrival_ms >= epochMs) found = middle;
        else older = row.sequence;
      }
      return firstFrom(shard, found)?.sequence;
    },
  };
}
