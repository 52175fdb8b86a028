import type { NewResourceRow, ProcessSight, ResourceRow, ResourceStore } from "../ports/resource-store.ts";

/** Keeps the control plane's rows for the life of one process: for trials and tests. `close` forgets nothing. */
export function createMemoryResourceStore(): ResourceStore {
  return new MemoryResourceStore();
}

class MemoryResourceStore implements ResourceStore {
  readonly #rows = new Map<string, ResourceRow>();
  readonly #processes = new Map<string, ProcessSight>();
  #version = 0;

  async list(kinds?: readonly string[]) {
    return [...this.#rows.values()].filter(({ kind }) => kinds?.includes(kind) ?? true);
  }

  async get(uid: string) {
    return this.#rows.get(uid);
  }

  async insert(row: NewResourceRow) {
    if (this.#rows.has(row.uid)) return { kind: "conflict", uid: row.uid } as const;
    return this.#conflict(row) ?? this.#write(row);
  }

  async replace(row: NewResourceRow, seenVersion: number) {
    const before = this.#rows.get(row.uid);
    if (before?.version !== seenVersion || before.kind !== row.kind) return { kind: "stale" } as const;
    return this.#conflict(row) ?? this.#write(row);
  }

  async remove(uid: string, seenVersion: number) {
    if (this.#rows.get(uid)?.version !== seenVersion) return { kind: "stale" } as const;
    this.#rows.delete(uid);
    this.#version++;
    return { kind: "removed" } as const;
  }

  async newestVersion() {
    return this.#version;
  }

  async announce(processId: string, appliedVersion: number) {
    const beat = (this.#processes.get(processId)?.beat ?? 0) + 1;
    this.#processes.set(processId, { processId, appliedVersion, beat });
  }

  async processes() {
    return [...this.#processes.values()];
  }

  async forget(processId: string) {
    this.#processes.delete(processId);
  }

  async close() {}

  #conflict({ uid, kind, name, claims }: NewResourceRow) {
    for (const row of this.#rows.values()) {
      if (row.uid === uid) continue;
      const isNamesake = row.kind === kind && row.name === name;
      if (isNamesake || row.claims.some((claim) => claims.includes(claim))) {
        return { kind: "conflict", uid: row.uid } as const;
      }
    }
    return undefined;
  }

  #write(row: NewResourceRow) {
    this.#version++;
    this.#rows.set(row.uid, { ...row, version: this.#version });
    return { kind: "written", version: this.#version } as const;
  }
}
