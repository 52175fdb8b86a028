import type { SnapshotStore, StoredSnapshot } from "../../../src/ports/snapshot-store.ts";
import type { FaultyWay } from "./faulty-way.ts";

/** What one process has of the store's snapshots. */
export class FaultySnapshots implements SnapshotStore {
  readonly #inner: SnapshotStore;
  readonly #way: FaultyWay;

  constructor(inner: SnapshotStore, way: FaultyWay) {
    this.#inner = inner;
    this.#way = way;
  }

  write = (snapshot: StoredSnapshot) => this.#way.call(() => this.#inner.write(snapshot));
  read = () => this.#way.call(() => this.#inner.read());
  ask = (untilMs: number) => this.#way.call(() => this.#inner.ask(untilMs));
  askedUntil = () => this.#way.call(() => this.#inner.askedUntil());
  prune = (how: { readonly beforeMs: number; readonly keep: number }) =>
    this.#way.call(() => this.#inner.prune(how));
  close = async () => undefined;
}
