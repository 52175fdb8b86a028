import type { CellStore } from "../../../src/ports/cell-store.ts";
import type { FaultyWay } from "../control/faulty-way.ts";

/** What one process has of the store's cells. */
export class FaultyCells implements CellStore {
  readonly #inner: CellStore;
  readonly #way: FaultyWay;

  constructor(inner: CellStore, way: FaultyWay) {
    this.#inner = inner;
    this.#way = way;
  }

  read = (prefix: string) => this.#way.call(() => this.#inner.read(prefix));
  swap = (name: string, seenRevision: number, document: string | undefined) =>
    this.#way.call(() => this.#inner.swap(name, seenRevision, document));
  close = async () => undefined;
}
