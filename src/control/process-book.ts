import type { ProcessSight } from "../ports/resource-store.ts";

/**
 * Which processes of a store live, as this one sees it: a process is gone once its beat has stood still for so long, by
 * this process's own monotonic clock. A process seen for the first time is taken to live.
 */
export class ProcessBook {
  readonly #goneAfterMs: number;
  readonly #seen = new Map<
    string,
    { readonly beat: number; readonly movedMs: number; readonly appliedVersion: number }
  >();

  constructor(goneAfterMs: number) {
    this.#goneAfterMs = goneAfterMs;
  }

  observe(sights: readonly ProcessSight[], nowMs: number): void {
    const present = new Set(sights.map(({ processId }) => processId));
    for (const processId of this.#seen.keys()) if (!present.has(processId)) this.#seen.delete(processId);
    for (const { processId, beat, appliedVersion } of sights) {
      const known = this.#seen.get(processId);
      const movedMs = known?.beat === beat ? known.movedMs : nowMs;
      this.#seen.set(processId, { beat, movedMs, appliedVersion });
    }
  }

  /** Every process that lives runs what the store held at `version`, or at a later one. */
  haveAllApplied(version: number, nowMs: number): boolean {
    for (const { movedMs, appliedVersion } of this.#seen.values()) {
      // plant: a-change-settles-without-the-other-processes
      // plant: nobody-is-taken-for-gone-2
      if (nowMs - movedMs < this.#goneAfterMs && appliedVersion < version) return false;
    }
    return true;
  }

  gone(nowMs: number): readonly string[] {
    return [...this.#seen].flatMap(([processId, { movedMs }]) =>
      // plant: nobody-is-taken-for-gone
      nowMs - movedMs >= this.#goneAfterMs ? [processId] : [],
    );
  }
}
