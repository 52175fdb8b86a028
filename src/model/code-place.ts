/** Where the code of a function, or a layer of it, is. */
export type CodePlace =
  /** A folder, which is run where it stands, or a zip. Absolute. */
  | { readonly path: string }
  /** In the store of packages. `sha256`: 64 digits, hexadecimal. */
  | { readonly sha256: string; readonly bytes: number };
