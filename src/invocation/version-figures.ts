import type { OutcomeKind } from "../model/outcome.ts";
import type { CallFigures } from "../ports/call-figures.ts";

const BUCKET_MS = 5_000;
const BUCKETS = 12;
const DURATION_LOG = Math.log(1.2);
/** Beyond some three hours. */
const PLACE_MAX = 90;

interface Bucket {
  /** Which 5 s they are of. */
  slot: number;
  calls: number;
  errors: number;
  throttles: number;
  readonly durations: Map<number, number>;
}

/** How calls of versions that somebody watches went in the last minute, in this process. */
export class VersionFigures {
  readonly #watched = new Map<string, (Bucket | undefined)[]>();

  watch(fn: string, version: string): void {
    const key = keyOf(fn, version);
    if (!this.#watched.has(key))
      this.#watched.set(key, new Array<Bucket | undefined>(BUCKETS).fill(undefined));
  }

  forget(fn: string, version: string): void {
    this.#watched.delete(keyOf(fn, version));
  }

  /** Monotonic milliseconds. */
  note(fn: string, version: string, kind: OutcomeKind, startedMs: number, endedMs: number): void {
    // Nearly always: nobody watches anything.
    if (this.#watched.size === 0) return;
    const buckets = this.#watched.get(keyOf(fn, version));
    if (buckets === undefined) return;
    const slot = Math.floor(endedMs / BUCKET_MS);
    const place = slot % BUCKETS;
    let bucket = buckets[place];
    if (bucket?.slot !== slot) {
      bucket = { slot, calls: 0, errors: 0, throttles: 0, durations: new Map() };
      buckets[place] = bucket;
    }
    bucket.calls += 1;
    if (kind === "throttled") bucket.throttles += 1;
    else if (kind !== "succeeded") bucket.errors += 1;
    const durationPlace = Math.min(
      PLACE_MAX,
      Math.floor(Math.log(Math.max(0, endedMs - startedMs) + 1) / DURATION_LOG),
    );
    bucket.durations.set(durationPlace, (bucket.durations.get(durationPlace) ?? 0) + 1);
  }

  of(fn: string, version: string, nowMs: number): CallFigures {
    const newest = Math.floor(nowMs / BUCKET_MS);
    const recent = (this.#watched.get(keyOf(fn, version)) ?? []).filter(
      (bucket) => bucket !== undefined && bucket.slot > newest - BUCKETS,
    );
    return sumOf(recent.filter((bucket) => bucket !== undefined));
  }
}

/** What several processes, or several moments, say together. */
export function sumOf(figures: readonly CallFigures[]): CallFigures {
  const durations = new Map<number, number>();
  for (const each of figures) {
    for (const [place, count] of each.durations) durations.set(place, (durations.get(place) ?? 0) + count);
  }
  const total = (of: (each: CallFigures) => number) => figures.reduce((sum, each) => sum + of(each), 0);
  return {
    calls: total(({ calls }) => calls),
    errors: total(({ errors }) => errors),
    throttles: total(({ throttles }) => throttles),
    durations,
  };
}

function keyOf(fn: string, version: string): string {
  return `${fn}:${version}`;
}
