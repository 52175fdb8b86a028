import type { InvariantId } from "../history.ts";

/**
 * Bugs that are planted into the engine (or into the world that it relies on) to see the checkers catch them: each
 * replaces the lines behind a comment `// plant: NAME`, when their file is loaded. A checker that no bug can trip
 * proves nothing.
 */
export interface PlantedBug {
  readonly name: string;
  /** Any of these must be broken. */
  readonly breaks: readonly InvariantId[];
  readonly patches: readonly Patch[];
}

export interface Patch {
  /**
   * The NAME of the comment `// plant: NAME`, which stands once in all sources. Comments of other bugs may stand
   * between.
   */
  readonly at: string;
  /** How many lines behind the comment it replaces; 1. */
  readonly lines?: number;
  /** What stands there then; empty: nothing. */
  readonly instead: string;
}

export function bug(name: string, breaks: readonly InvariantId[], ...patches: readonly Patch[]): PlantedBug {
  return { name, breaks, patches };
}
