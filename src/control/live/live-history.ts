import type { WholeView } from "../whole-view.ts";
import { countsOf, type LiveCounts } from "./live-mapping.ts";

/** A point of the plots, a second's worth of each; `at` in epoch milliseconds, ages in milliseconds. */
export interface LivePoint {
  readonly at: number;
  readonly read: number;
  readonly done: number;
  readonly failed: number;
  readonly oldestAgeMs: number;
}

interface Known extends LiveCounts {
  readonly atMs: number;
}

const STEP_MS = 5_000;
/** A quarter of an hour. */
const POINTS_MAX = 180;
const MAPPINGS_MAX = 500;

/**
 * The last quarter of an hour of each mapping, from what processes have said of themselves. A process counts from its
 * beginning: what it did between two words of it is spread over the time between them, and a first word tells no rate.
 */
export class LiveHistory {
  readonly #points = new Map<string, LivePoint[]>();
  /** By process and mapping. */
  #known = new Map<string, Known>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** `monotonicMs`: the host's clock may be set back. */
  note({ nowMs, processes }: WholeView, monotonicMs: number): void {
    if (monotonicMs - this.#lookedMs < STEP_MS) return;
    this.#lookedMs = monotonicMs;
    const known = new Map<string, Known>();
    const sums = new Map<string, LivePoint>();
    for (const { snapshot, standing } of processes) {
      if (standing !== "lives") continue;
      for (const mapping of snapshot.mappings) {
        const key = `${snapshot.processId}/${mapping.uuid}`;
        const now = { ...countsOf(mapping), atMs: snapshot.atMs };
        known.set(key, now);
        const before = sums.get(mapping.uuid) ?? { at: nowMs, read: 0, done: 0, failed: 0, oldestAgeMs: 0 };
        sums.set(mapping.uuid, sumOf(before, this.#known.get(key), now, mapping.oldestAgeMs));
      }
    }
    this.#known = known;
    for (const [uuid, point] of sums) this.#add(uuid, point);
  }

  /** Oldest first. */
  of(uuid: string): readonly LivePoint[] {
    return this.#points.get(uuid) ?? [];
  }

  /** The last quarter of an hour of each mapping in few points: what was done a second. Oldest first. */
  sparks(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#points].map(([uuid, points]) => [uuid, sparkOf(points)]));
  }

  #add(uuid: string, point: LivePoint): void {
    const points = this.#points.get(uuid) ?? [];
    if (points.length === 0) {
      if (this.#points.size >= MAPPINGS_MAX) this.#forgetOldest();
      this.#points.set(uuid, points);
    }
    points.push(point);
    if (points.length > POINTS_MAX) points.shift();
  }

  #forgetOldest(): void {
    const [oldest] = [...this.#points].toSorted(([, a], [, b]) => (a.at(-1)?.at ?? 0) - (b.at(-1)?.at ?? 0));
    if (oldest !== undefined) this.#points.delete(oldest[0]);
  }
}

function sumOf(sum: LivePoint, before: Known | undefined, now: Known, oldestAgeMs: number): LivePoint {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1_000;
  const rate = (count: (counts: LiveCounts) => number): number => {
    if (before === undefined || seconds <= 0) return 0;
    return Math.max(0, count(now) - count(before)) / seconds;
  };
  return {
    at: sum.at,
    read: sum.read + rate(({ read }) => read),
    done: sum.done + rate(({ invoked, failed }) => invoked - failed),
    failed: sum.failed + rate(({ failed }) => failed),
    oldestAgeMs: Math.max(sum.oldestAgeMs, oldestAgeMs),
  };
}

const SPARK_POINTS = 30;

/** Each point stands for as many as fit; the newest is the last. */
function sparkOf(points: readonly LivePoint[]): readonly number[] {
  const each = POINTS_MAX / SPARK_POINTS;
  const spark: number[] = [];
  for (let end = points.length; end > 0; end -= each) {
    const some = points.slice(Math.max(0, end - each), end);
    const mean = some.reduce((sum, { done }) => sum + done, 0) / some.length;
    spark.unshift(Math.round(mean * 100) / 100);
  }
  return spark;
}
