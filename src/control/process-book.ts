import type { ProcessSight } from "../ports/resource-store.ts";

const MISSING_KEPT_MS = 60_000;

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

  /** When those were first missed that somebody asks for and that have no beat at all. */
  readonly #missing = new Map<string, number>();
  /** The last look shows what was so then, or later. */
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(goneAfterMs: number) {
    this.#goneAfterMs = goneAfterMs;
  }

  /** `askedMs`: before the store was asked. Its answer may come late, and says nothing of the time since. */
  observe(sights: readonly ProcessSight[], askedMs: number, nowMs: number): void {
    this.#askedMs = askedMs;
    const present = new Set(sights.map(({ processId }) => processId));
    for (const processId of this.#seen.keys()) if (!present.has(processId)) this.#seen.delete(processId);
    for (const [processId, sinceMs] of this.#missing) {
      if (present.has(processId) || askedMs - sinceMs > MISSING_KEPT_MS) this.#missing.delete(processId);
    }
    for (const { processId, beat, appliedVersion } of sights) {
      const known = this.#seen.get(processId);
      const movedMs = known?.beat === beat ? known.movedMs : nowMs;
      this.#seen.set(processId, { beat, movedMs, appliedVersion });
    }
  }

  /**
   * It can have cut itself off by now. One without a beat has ended, or was forgotten, or has not been heard of yet: it
   * is waited for as long as one whose beat stands still.
   */
  isGone(processId: string, nowMs: number): boolean {
    const sinceMs = this.#seen.get(processId)?.movedMs ?? this.#missing.get(processId);
    if (sinceMs === undefined) this.#missing.set(processId, nowMs);
    // plant: the-part-of-a-process-is-struck-before-it-is-gone
    return sinceMs !== undefined && this.#askedMs - sinceMs >= this.#goneAfterMs;
  }

  /** As the last look has it; `unknown`: it had no beat then. */
  standingOf(processId: string): "lives" | "gone" | "unknown" {
    const seen = this.#seen.get(processId);
    if (seen === undefined) return "unknown";
    return this.#askedMs - seen.movedMs < this.#goneAfterMs ? "lives" : "gone";
  }

  /** So many beat, as far as the last look shows. */
  get living(): number {
    let living = 0;
    for (const { movedMs } of this.#seen.values()) if (this.#askedMs - movedMs < this.#goneAfterMs) living++;
    return living;
  }

  /** Processes that beat. */
  get names(): readonly string[] {
    return [...this.#seen.keys()].filter((processId) => this.standingOf(processId) === "lives");
  }

  /** Those that live and do not run yet what the store held at `version`, as the last look has it. */
  behind(version: number): readonly string[] {
    return [...this.#seen].flatMap(([processId, { appliedVersion }]) =>
      this.standingOf(processId) === "lives" && appliedVersion < version ? [processId] : [],
    );
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
