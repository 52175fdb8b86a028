/** Larger documents are refused. Cells are a small memory: what is read often, and whole. */
export const CELL_DOCUMENT_BYTES_MAX = 64 * 1024;

/**
 * Named documents that processes of a store share, each changed by compare and swap. It knows nothing of what a
 * document means. Nothing is written while nothing changes.
 *
 * Laws, which the contract suite `test/contract/cell-store.ts` checks of every adapter:
 * - `swap` takes effect only on the revision that the caller saw, 0 for a cell that is not there, and answers `stale`
 *   otherwise. Of several at once on one revision exactly one takes effect.
 * - Revisions of a name rise with every swap that takes effect, also over a removal: who has seen a revision knows by
 *   it
 *   whether anything came after.
 * - `read` gives all cells whose names begin with the prefix, each as one swap has left it; those that are gone are not
 *   among them.
 * - What was written is what is read: by any process that opens the same store, also after a restart.
 * - A call that fails rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`. Whether a swap took effect is then *unknown*, and
 *   it may still do so later, on the revision that it saw: only another revision of the cell says that it cannot.
 * - A document of more than `CELL_DOCUMENT_BYTES_MAX` is refused with `ERR_MILLRACE_INVARIANT`, and nothing is written.
 */
export interface CellStore {
  read(prefix: string): Promise<readonly Cell[]>;
  /** `document` is a JSON text; `undefined`: the cell is gone. */
  swap(name: string, seenRevision: number, document: string | undefined): Promise<CellSwapped | CellStale>;
  close(): Promise<void>;
}

export interface Cell {
  readonly name: string;
  /** Above 0. */
  readonly revision: number;
  readonly document: string;
}

export interface CellSwapped {
  readonly kind: "swapped";
  readonly revision: number;
}

/** The cell is not at the revision that was seen. */
export interface CellStale {
  readonly kind: "stale";
}
