export interface Ending {
  readonly bomb: string;
  readonly how: "given up" | "delivered" | "refused";
  /** From the engine's first invocation on. */
  readonly atMs: number;
  /** The record in front of it was delivered, and not later. */
  readonly isNeighbourFirst: boolean;
  /**
   * Records of another mapping that came into being behind the bomb's beginning and were delivered before its ending.
   */
  readonly calmMeanwhile: number;
  readonly tookMs: number;
}

export interface BombReport {
  readonly endings: readonly Ending[];
  readonly rssMax: number;
  /** Of the engine's probe: seconds with a longest step of at most 200 ms, and all. */
  readonly steps: { readonly short: number; readonly all: number; readonly longestUpToSeconds: string };
  readonly asker: {
    readonly asked: number;
    readonly failures: number;
    readonly slowest: readonly number[];
    readonly ownLateMs: number;
  };
  readonly calmLatestMs: number;
  /**
   * From within the process: the longest time between two turns, and the most processor time of the main thread in one.
   */
  readonly witness: {
    readonly lateMs: number;
    readonly ownMs: number;
    readonly wakes: number;
    /** The first turns of more than 200 ms of processor time. */
    readonly long: readonly { readonly atMs: number; readonly ownMs: number }[];
  };
}

/** Of the probe, out of all metrics. */
export function stepsOf(metrics: string): BombReport["steps"] {
  const buckets = [...metrics.matchAll(/^millrace_event_loop_step_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)];
  const all = Number(buckets.at(-1)?.[2]);
  const short = Number(buckets.find(([, le]) => le === "0.2")?.[2]);
  return { short, all, longestUpToSeconds: buckets.find(([, , count]) => Number(count) === all)?.[1] ?? "" };
}
