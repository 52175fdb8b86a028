import type { Patch } from "../../simulation/planted/planted-bug.ts";

/**
 * A bug whose cause sits in an adapter, where the simulation does not reach: it is planted into the sources as a test
 * file loads them, and the file must then fail in the named test. A law that no bug can trip proves nothing.
 */
export interface ContractBug {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** From the repository's root. */
  readonly file: string;
  /** Of the test that must fail with the bug and pass without it: its whole name or a part that no other test has. */
  readonly test: string;
  /** The file starts a server that comes from Maven, Debian or PyPI: hunted by `--servers` only. */
  readonly needsServer?: boolean;
}

/** One textual change of one source file. */
export function contractBug(
  name: string,
  caught: { readonly file: string; readonly test: string; readonly needsServer?: boolean },
  ...patches: readonly Patch[]
): ContractBug {
  return { name, ...caught, patches };
}
