import { GONE_MS } from "../../../src/control/process-life.ts";
import type { NewResourceRow, ResourceStore } from "../../../src/ports/resource-store.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";
import type { OwnershipJudge } from "./ownership-judge.ts";

/** What stands in the store of a mapping. */
export interface Truth {
  readonly isWanted: boolean;
  /** Since when it is wanted, without a break. */
  readonly wantedMs: number;
  readonly isSettled: boolean;
  /** Since when it is not wanted any more. */
  readonly unwantedMs: number;
}

/** The store itself, and what it says at each moment; a mapping that is gone is settled and not wanted. */
export class WatchedStore {
  readonly truths = new Map<string, Truth>();
  readonly store: ResourceStore;
  /** When a process was last heard of, in whichever of its lives. */
  readonly #heardMs = new Map<string, number>();
  /** When a process was heard of again that the others had taken for gone. */
  readonly #returnedMs = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number, onChange: (uuid: string) => void, judge: OwnershipJudge) {
    this.#now = now;
    const inner = createMemoryResourceStore();
    const note = (uuid: string, document: string | undefined) => {
      judge.note(uuid, document);
      const record = document === undefined ? undefined : JSON.parse(document);
      const isEnabled = (record?.overrides?.enabled ?? record?.spec?.enabled) === true;
      const isOrphaned = (record?.conditions ?? []).length > 0;
      const isWanted = isEnabled && !isOrphaned && record.transition !== "Deleting";
      const before = this.truths.get(uuid);
      const wantedMs = before?.isWanted === true ? before.wantedMs : now();
      const unwantedMs = before?.isWanted === false ? before.unwantedMs : now();
      const isSettled = record?.transition === undefined;
      this.truths.set(uuid, { isWanted, isSettled, wantedMs, unwantedMs });
      onChange(uuid);
    };
    const written = async <R extends { readonly kind: string }>(row: NewResourceRow, result: Promise<R>) => {
      const answer = await result;
      if (answer.kind === "written" && row.kind === "mapping") note(row.uid, row.document);
      return answer;
    };
    this.store = {
      list: (kinds) => inner.list(kinds),
      get: (uuid) => inner.get(uuid),
      insert: (row) => written(row, inner.insert(row)),
      replace: (row, seen) => written(row, inner.replace(row, seen)),
      async remove(uuid, seen) {
        const answer = await inner.remove(uuid, seen);
        if (answer.kind === "removed") note(uuid, undefined);
        return answer;
      },
      newestVersion: () => inner.newestVersion(),
      announce: (processId, version) => {
        this.#heard(processId.split("~")[0] ?? "");
        return inner.announce(processId, version);
      },
      processes: () => inner.processes(),
      forget: (processId) => inner.forget(processId),
      close: () => inner.close(),
    };
  }
  /**
   * The process was never silent for so long since then that others settle without it. What was settled while it was
   * silent may be written when it is heard of again.
   */
  wasHeardSince(sinceMs: number, name: string): boolean {
    const isSilent = this.#now() - (this.#heardMs.get(name) ?? 0) >= GONE_MS;
    return !isSilent && (this.#returnedMs.get(name) ?? Number.NEGATIVE_INFINITY) < sinceMs;
  }

  #heard(name: string): void {
    const nowMs = this.#now();
    if (nowMs - (this.#heardMs.get(name) ?? nowMs) >= GONE_MS) this.#returnedMs.set(name, nowMs);
    this.#heardMs.set(name, nowMs);
  }
}
