import {
  FAILURE_ROWS_MAX,
  type FailureBookmark,
  type FailureIndex,
  type FailureMark,
  type FailureQuery,
  type FailureRow,
} from "../ports/failure-index.ts";
import { boundsOf } from "./failure-document.ts";

/** Keeps rows of failures for the life of one process, which shares them with nobody. `close` forgets nothing. */
export function createMemoryFailureIndex(rowsMax = FAILURE_ROWS_MAX): FailureIndex {
  return new MemoryFailureIndex(rowsMax);
}

class MemoryFailureIndex implements FailureIndex {
  readonly #rowsMax: number;
  readonly #rows = new Map<string, FailureRow>();

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  async add(rows: readonly FailureRow[]) {
    for (const row of rows) if (!this.#rows.has(row.id)) this.#rows.set(row.id, structuredClone(row));
    const over = this.#rows.size - this.#rowsMax;
    if (over <= 0) return;
    for (const { id } of [...this.#rows.values()].sort(byTime).slice(0, over)) this.#rows.delete(id);
  }

  async list(query: FailureQuery) {
    const { since, until, afterMs, afterId } = boundsOf(query);
    return [...this.#rows.values()]
      .filter(({ mapping }) => query.mapping === undefined || mapping === query.mapping)
      .filter(({ redriveId }) => query.redriveId === undefined || redriveId === query.redriveId)
      .filter(({ atMs }) => atMs >= since && atMs < until)
      .filter((row) => byTime(row, { atMs: afterMs, id: afterId }) > 0)
      .sort(byTime)
      .slice(0, query.max);
  }

  async get(id: string) {
    return this.#rows.get(id);
  }

  async mark(ids: readonly string[], { from, ofRedrive, state, redriveId }: FailureMark) {
    const changed: string[] = [];
    for (const id of new Set(ids)) {
      const row = this.#rows.get(id);
      if (row === undefined || !from.includes(row.state)) continue;
      if (ofRedrive !== undefined && row.redriveId !== ofRedrive) continue;
      const { redriveId: _, ...rest } = row;
      this.#rows.set(id, { ...rest, state, ...(redriveId === undefined ? {} : { redriveId }) });
      changed.push(id);
    }
    return changed;
  }

  async close() {}
}

function byTime(a: FailureBookmark, b: FailureBookmark): number {
  return a.atMs - b.atMs || (a.id < b.id ? -1 : Number(a.id > b.id));
}
