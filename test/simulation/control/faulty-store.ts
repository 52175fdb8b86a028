import type { NewResourceRow, ResourceStore } from "../../../src/ports/resource-store.ts";
import type { FaultyWay } from "./faulty-way.ts";

/** What one process has of the store's rows. */
export class FaultyStore implements ResourceStore {
  readonly #inner: ResourceStore;
  readonly #way: FaultyWay;

  constructor(inner: ResourceStore, way: FaultyWay) {
    this.#inner = inner;
    this.#way = way;
  }

  list = (kinds?: readonly string[]) => this.#way.call(() => this.#inner.list(kinds));
  get = (uuid: string) => this.#way.call(() => this.#inner.get(uuid));
  insert = (row: NewResourceRow) => this.#way.call(() => this.#inner.insert(row));
  replace = (row: NewResourceRow, seen: number) => this.#way.call(() => this.#inner.replace(row, seen));
  remove = (uuid: string, seen: number) => this.#way.call(() => this.#inner.remove(uuid, seen));
  newestVersion = () => this.#way.call(() => this.#inner.newestVersion());
  announce = (processId: string, version: number) =>
    this.#way.call(() => this.#inner.announce(processId, version));
  processes = () => this.#way.call(() => this.#inner.processes());
  forget = (processId: string) => this.#way.call(() => this.#inner.forget(processId));
  close = async () => undefined;
}
