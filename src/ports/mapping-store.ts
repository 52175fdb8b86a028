/**
 * Keeper of the control plane's rows: one for each event source mapping that was made through the API, shared by all
 * processes of a store. It knows nothing of what a document means.
 *
 * Laws, which the contract suite `test/contract/mapping-store.ts` checks of every adapter:
 * - Every write that takes effect gets a version above all versions before it, in the whole store: who has seen version
 *   v has seen everything up to v.
 * - `replace` and `remove` take effect only on the version that the caller saw, and answer `stale` otherwise.
 * - No two rows hold the same claim at once. What would break that takes no effect and names the row that is in the
 *   way.
 * - What was written is what is read: by any process that opens the same store, also after a restart.
 * - A call that fails rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`; whether it took effect is then *unknown*, and the
 *   caller reads the row back before it relies on either.
 */
export interface MappingStore {
  /** All rows, in no particular order. */
  list(): Promise<readonly MappingRow[]>;
  get(uuid: string): Promise<MappingRow | undefined>;
  /** `conflict`: the row with this uuid, or with one of these claims. */
  insert(row: NewMappingRow): Promise<RowWritten | RowConflict>;
  replace(row: NewMappingRow, seenVersion: number): Promise<RowWritten | RowConflict | RowStale>;
  remove(uuid: string, seenVersion: number): Promise<{ readonly kind: "removed" } | RowStale>;
  /** The newest version of the store; 0 for one that was never written to. Cheap: processes ask every second. */
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

export interface NewMappingRow {
  readonly uuid: string;
  /** Texts that no other row may have, such as a source and its function. */
  readonly claims: readonly string[];
  /** A JSON text of at most `MAPPING_DOCUMENT_CHARS_MAX`. */
  readonly document: string;
}

export interface MappingRow extends NewMappingRow {
  readonly version: number;
}

export interface RowWritten {
  readonly kind: "written";
  readonly version: number;
}

export interface RowConflict {
  readonly kind: "conflict";
  /** The row in the way. */
  readonly uuid: string;
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
