export type ViolationKind = "lost" | "outOfOrder" | "duplicatesBeyondBound" | "phantoms";

const EXAMPLES_MAX = 20;

/** Counts breaches of the engine's promises and keeps the first of them in words. */
export class LedgerViolations {
  readonly #counts: Record<ViolationKind, number>;
  readonly examples: string[];

  constructor(before?: LedgerViolations) {
    this.#counts = before?.counts() ?? { lost: 0, outOfOrder: 0, duplicatesBeyondBound: 0, phantoms: 0 };
    this.examples = [...(before?.examples ?? [])];
  }

  get total(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
  }

  add(kind: ViolationKind, example: string, records = 1): void {
    this.#counts[kind] += records;
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(example);
  }

  counts(): Record<ViolationKind, number> {
    return { ...this.#counts };
  }
}
