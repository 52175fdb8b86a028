/** Code as a declaration names it: a folder or an archive of this host, or an archive of the package store. */
export type PackageSource =
  | { readonly path: string }
  | {
      /** 64 hexadecimal digits, lower case. */
      readonly sha256: string;
    };

/** Makes folders of packages, which functions run from. */
export interface PackageFolders {
  /**
   * A folder is answered as it is, and stays the caller's. An archive is extracted once on this host, whoever asks, and
   * its folder stays at least until it is released; nobody writes into it.
   *
   * @throws MillraceError ERR_MILLRACE_PACKAGE, which says what of the archive is refused;
   * ERR_MILLRACE_STORE_UNAVAILABLE
   */
  open(source: PackageSource): Promise<OpenPackage>;
  /** Removes folders that nobody holds and that are of no needed package for `UNNEEDED_MS`. Answers their names. */
  sweep(needed: ReadonlySet<string>, nowMs: number): Promise<readonly string[]>;
}

export interface OpenPackage {
  /** Absolute. */
  readonly folder: string;
  /** `undefined` for a folder of the user's. */
  readonly sha256: string | undefined;
  release(): void;
}
