import type { CellStore } from "../ports/cell-store.ts";
import { checkCellDocument } from "./cell-bounds.ts";

/** Keeps cells for the life of one process, which shares them with nobody. `close` forgets nothing. */
export function createMemoryCellStore(): CellStore {
  return new MemoryCellStore();
}

class MemoryCellStore implements CellStore {
  /** A cell that is gone keeps its revision. */
  readonly #cells = new Map<string, { readonly revision: number; readonly document: string | undefined }>();

  async read(prefix: string) {
    return [...this.#cells].flatMap(([name, { revision, document }]) =>
      document !== undefined && name.startsWith(prefix) ? [{ name, revision, document }] : [],
    );
  }

  async swap(name: string, seenRevision: number, document: string | undefined) {
    checkCellDocument(name, document);
    const cell = this.#cells.get(name);
    const standing = cell?.document === undefined ? 0 : cell.revision;
    const isNothing = standing === 0 && document === undefined;
    if (standing !== seenRevision || isNothing) return { kind: "stale" } as const;
    const revision = (cell?.revision ?? 0) + 1;
    this.#cells.set(name, { revision, document });
    return { kind: "swapped", revision } as const;
  }

  async close() {}
}
