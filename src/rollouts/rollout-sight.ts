import type { CallFigures } from "../ports/call-figures.ts";
import type { RolloutFigures } from "./rollout-figures.ts";

/** A point of the plot of both versions: calls and failures within the minute before it. */
export interface RolloutPoint {
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Share of the traffic that the new version had, 0 to 1. */
  readonly share: number;
  readonly calls: number;
  readonly failed: number;
  readonly formerCalls: number;
  readonly formerFailed: number;
}

/** What a process saw of a rollout when it looked at it last. */
export interface RolloutSight extends RolloutFigures {
  /** Why it takes no step now, for people; `undefined`: it took one. */
  readonly waitsFor: string | undefined;
  /** Until its next step has its time, milliseconds. */
  readonly nextStepMs: number;
  /** Oldest first; of the last hours at most. */
  readonly points: readonly RolloutPoint[];
}

const POINT_MS = 5_000;
/** Two hours of a point every 5 s; of a longer rollout every other one is kept, again and again. */
const POINTS_MAX = 1_440;

/** Points of one rollout, as this process saw them. */
export class RolloutPoints {
  #points: RolloutPoint[] = [];
  #spacingMs = POINT_MS;
  #notedMs = Number.NEGATIVE_INFINITY;

  /** `monotonicMs`: the host's clock may be set back. */
  note(atMs: number, monotonicMs: number, share: number, { figures, former }: RolloutFigures): void {
    const isMoved = this.#points.at(-1)?.share !== share;
    if (!isMoved && monotonicMs - this.#notedMs < this.#spacingMs) return;
    this.#notedMs = monotonicMs;
    this.#points.push({
      atMs,
      share,
      calls: figures.calls,
      failed: failuresOf(figures),
      formerCalls: former.calls,
      formerFailed: failuresOf(former),
    });
    if (this.#points.length <= POINTS_MAX) return;
    this.#points = this.#points.filter((_point, at) => at % 2 === 0);
    this.#spacingMs *= 2;
  }

  get all(): readonly RolloutPoint[] {
    return this.#points;
  }
}

function failuresOf({ errors, throttles }: CallFigures): number {
  return errors + throttles;
}
