/**
 * Keeper of archives of code, by what they hold: the SHA-256 of an archive is its name. All processes that run
 * functions of a store share one.
 *
 * Laws, which the contract suite `test/contract/package-store.ts` checks of every adapter:
 * - What `put` answered for is durable, and is what `get` gives, by any process that opens the same place.
 * - `get` gives exactly the bytes of that name, or fails: what was damaged is never handed out.
 * - `put` of what is there changes nothing, but that it is wanted anew.
 * - `sweep` removes only what no sweep of the last `UNNEEDED_MS` saw needed, and nobody put meanwhile.
 * - A call that fails for the place rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`; whether it took effect is unknown.
 */
export interface PackageStore {
  put(archive: Uint8Array): Promise<StoredPackage>;
  /**
   * `undefined`: it is not here.
   * @throws MillraceError ERR_MILLRACE_PACKAGE when what is here is damaged
   */
  get(sha256: string): Promise<Uint8Array | undefined>;
  /** `needed`: names of all packages that something declares, at this time of the caller's. Answers what it removed. */
  sweep(needed: ReadonlySet<string>, nowMs: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface StoredPackage {
  /** 64 hexadecimal digits, lower case. */
  readonly sha256: string;
  readonly bytes: number;
}

/** What nothing needs is kept so long: a declaration that is taken back finds its code. */
export const UNNEEDED_MS = 24 * 60 * 60 * 1000;
