import type { SnapshotStore, StoredSnapshot } from "../ports/snapshot-store.ts";
import { checkSnapshot } from "./snapshot-bounds.ts";

/** Keeps snapshots for the life of one process, which shares them with nobody. `close` forgets nothing. */
export function createMemorySnapshotStore(): SnapshotStore {
  return new MemorySnapshotStore();
}

class MemorySnapshotStore implements SnapshotStore {
  readonly #snapshots = new Map<string, StoredSnapshot>();
  #askedUntilMs = 0;

  async write(snapshot: StoredSnapshot) {
    checkSnapshot(snapshot);
    this.#snapshots.set(snapshot.processId, snapshot);
  }

  async read() {
    return [...this.#snapshots.values()];
  }

  async ask(untilMs: number) {
    this.#askedUntilMs = Math.max(untilMs, this.#askedUntilMs + 1);
  }

  async askedUntil() {
    return this.#askedUntilMs;
  }

  async prune({ beforeMs, keep }: { readonly beforeMs: number; readonly keep: number }) {
    const newestFirst = [...this.#snapshots.values()].toSorted((a, b) => b.atMs - a.atMs);
    for (const [place, { processId, atMs }] of newestFirst.entries()) {
      if (place >= keep || atMs < beforeMs) this.#snapshots.delete(processId);
    }
  }

  async close() {}
}
