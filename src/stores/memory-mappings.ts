import type { MappingRow, MappingStore, NewMappingRow, ProcessSight } from "../ports/mapping-store.ts";

/** Keeps the control plane's rows for the life of one process: for trials and tests. `close` forgets nothing. */
export function createMemoryMappingStore(): MappingStore {
  return new MemoryMappingStore();
}

class MemoryMappingStore implements MappingStore {
  readonly #rows = new Map<string, MappingRow>();
  readonly #processes = new Map<string, ProcessSight>();
  #version = 0;

  async list() {
    return [...this.#rows.values()];
  }

  async get(uuid: string) {
    return this.#rows.get(uuid);
  }

  async insert(row: NewMappingRow) {
    if (this.#rows.has(row.uuid)) return { kind: "conflict", uuid: row.uuid } as const;
    return this.#conflict(row) ?? this.#write(row);
  }

  async replace(row: NewMappingRow, seenVersion: number) {
    if (this.#rows.get(row.uuid)?.version !== seenVersion) return { kind: "stale" } as const;
    return this.#conflict(row) ?? this.#write(row);
  }

  async remove(uuid: string, seenVersion: number) {
    if (this.#rows.get(uuid)?.version !== seenVersion) return { kind: "stale" } as const;
    this.#rows.delete(uuid);
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

  #conflict({ uuid, claims }: NewMappingRow) {
    for (const row of this.#rows.values()) {
      if (row.uuid !== uuid && row.claims.some((claim) => claims.includes(claim))) {
        return { kind: "conflict", uuid: row.uuid } as const;
      }
    }
    return undefined;
  }

  #write(row: NewMappingRow) {
    this.#version++;
    this.#rows.set(row.uuid, { ...row, version: this.#version });
    return { kind: "written", version: this.#version } as const;
  }
}
