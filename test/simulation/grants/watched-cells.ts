import { type Allotment, readAllotment } from "../../../src/invocation/allotment.ts";
import type { CellStore } from "../../../src/ports/cell-store.ts";
import { createMemoryCellStore } from "../../../src/stores/memory-cells.ts";

const NOTHING: Allotment = { limit: 0, parts: [] };

/** The cells themselves, with every write of the one that counts. */
export class WatchedCells implements CellStore {
  readonly #inner = createMemoryCellStore();
  readonly #onWrite: (before: Allotment, after: Allotment) => void;
  readonly #onConflict: () => void;
  /** As it stands in the store at this moment. */
  content = NOTHING;

  constructor(onWrite: (before: Allotment, after: Allotment) => void, onConflict: () => void) {
    this.#onWrite = onWrite;
    this.#onConflict = onConflict;
  }

  read(prefix: string) {
    return this.#inner.read(prefix);
  }

  async swap(name: string, seenRevision: number, document: string | undefined) {
    const answer = await this.#inner.swap(name, seenRevision, document);
    if (answer.kind === "stale") {
      this.#onConflict();
      return answer;
    }
    const before = this.content;
    this.content = readAllotment(document ?? "") ?? NOTHING;
    this.#onWrite(before, this.content);
    return answer;
  }

  async close() {}
}

export function grantOf({ parts }: Allotment, process: string): number {
  return parts.find((part) => part.process === process)?.granted ?? 0;
}
