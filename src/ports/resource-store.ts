/**
 * Keeper of the control plane's rows: one for each thing that somebody declared, such as an event source mapping,
 * shared by all processes of a store. It knows nothing of what a document means, nor which kinds there are.
 *
 * Laws, which the contract suite `test/contract/resource-store.ts` checks of every adapter:
 * - Every write that takes effect gets a version above all versions before it, in the whole store: who has seen version
 *   v has seen everything up to v.
 * - `replace` and `remove` take effect only on the version that the caller saw, and answer `stale` otherwise.
 * - No two rows hold the same claim at once, and no two of a kind have the same name. What would break that takes no
 *   effect and names the row that is in the way.
 * - `list` shows the rows of one moment: all that a write did, or nothing of it.
 * - What was written is what is read: by any process that opens the same store, also after a restart.
 * - A call that fails rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`; whether it took effect is then *unknown*, and the
 *   caller reads the row back before it relies on either.
 */
export interface ResourceStore {
  /** All rows, or those of some kinds, in no particular order. */
  list(kinds?: readonly string[]): Promise<readonly ResourceRow[]>;
  get(uid: string): Promise<ResourceRow | undefined>;
  /** `conflict`: the row with this uid, with this name of the kind, or with one of these claims. */
  insert(row: NewResourceRow): Promise<RowWritten | RowConflict>;
  /** Its name may become another, its kind never: one of another kind is `stale`. */
  replace(row: NewResourceRow, seenVersion: number): Promise<RowWritten | RowConflict | RowStale>;
  remove(uid: string, seenVersion: number): Promise<{ readonly kind: "removed" } | RowStale>;
  /**
   * The newest version of the store, over all kinds; 0 for one that was never written to. Cheap: processes ask every
   * second.
   */
  newestVersion(): Promise<number>;
  /**
   * Says that this process lives and runs what the store held at `appliedVersion`. Its beat moves with every call, also
   * with the same version: others judge by their own clocks whether it still lives.
   */
  announce(processId: string, appliedVersion: number): Promise<void>;
  processes(): Promise<readonly ProcessSight[]>;
  /** Forgets a process, at its end or when others find it gone. */
  forget(processId: string): Promise<void>;
  close(): Promise<void>;
}

export interface NewResourceRow {
  /** Never that of another row, also of one that is long gone. */
  readonly uid: string;
  readonly kind: string;
  /** No two rows of a kind have it at once. */
  readonly name: string;
  /** Texts that no other row may have, such as a source and its function. */
  readonly claims: readonly string[];
  /** A JSON text of at most `RESOURCE_DOCUMENT_CHARS_MAX`. */
  readonly document: string;
}

export interface ResourceRow extends NewResourceRow {
  readonly version: number;
}

export interface RowWritten {
  readonly kind: "written";
  readonly version: number;
}

export interface RowConflict {
  readonly kind: "conflict";
  /** The row in the way. */
  readonly uid: string;
}

/** The row is not there, or not at the version that was seen. */
export interface RowStale {
  readonly kind: "stale";
}

export interface ProcessSight {
  readonly processId: string;
  readonly appliedVersion: number;
  readonly beat: number;
}
