/** Larger snapshots are refused: whoever makes one leaves the least out that is in the way. */
export const SNAPSHOT_BYTES_MAX = 32 * 1024;

/**
 * What each process of a store says of itself, for the others: its last word, which stays when the process is gone. It
 * knows nothing of what a document means.
 *
 * Laws, which the contract suite `test/contract/snapshot-store.ts` checks of every adapter:
 * - `write` puts a snapshot in the place of the last one of that process, and touches no other.
 * - `read` gives all snapshots, each as one `write` has left it.
 * - `ask` moves `askedUntil` forward with every call, whatever moments are given: who has seen a moment knows by
 *   another one that somebody has asked since. So nobody has to compare clocks of hosts.
 * - `prune` keeps the newest by `at`, and takes away what is older than the moment that is given.
 * - What was written is what is read: by any process that opens the same store, also after a restart.
 * - A call that fails rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`; whether it took effect is then unknown.
 * - A document of more than `SNAPSHOT_BYTES_MAX` is refused with `ERR_MILLRACE_INVARIANT`, and nothing is written.
 */
export interface SnapshotStore {
  write(snapshot: StoredSnapshot): Promise<void>;
  /** In no particular order. */
  read(): Promise<readonly StoredSnapshot[]>;
  /** Somebody looks at least until then (epoch milliseconds). */
  ask(untilMs: number): Promise<void>;
  /** 0: nobody has ever asked. Cheap: processes ask every second. */
  askedUntil(): Promise<number>;
  prune(how: { readonly beforeMs: number; readonly keep: number }): Promise<void>;
  close(): Promise<void>;
}

export interface StoredSnapshot {
  readonly processId: string;
  /** Epoch milliseconds, by the clock of its process. */
  readonly atMs: number;
  /** Compressed JSON. */
  readonly document: Uint8Array;
}
