import type { InvariantId } from "../history.ts";

/**
 * Bugs that are planted into the engine (or into the world that it relies on) to see the checkers catch them: each is one
 * textual change of a source file, applied when the file is loaded. A checker that no bug can trip proves nothing.
 */
export interface PlantedBug {
  readonly name: string;
  /** Any of these must be broken. */
  readonly breaks: readonly InvariantId[];
  readonly patches: readonly Patch[];
}

export interface Patch {
  /** From the repository's root. */
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export const STREAM = "src/engine/stream";
export const QUEUE = "src/engine/queue";
export const INVOKE = "src/engine/invoke";

export function bug(name: string, breaks: readonly InvariantId[], ...patches: readonly Patch[]): PlantedBug {
  return { name, breaks, patches };
}
