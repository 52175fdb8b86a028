import type { Disturbance } from "./evidence.ts";

export interface ChaosOptions {
  readonly processes: number;
  readonly shards: number;
  readonly records: number;
  /** Processes that are killed; others are stopped, paused and cut off from the store besides. */
  readonly kills: number;
  /** From one disturbance to the next; their number times this is how long records are appended. */
  readonly everyMs: number;
  readonly seed: number;
  /** Gets everything that was seen, as JSON. */
  readonly evidenceFile?: string | undefined;
}

/** To each kill. */
const SHARES: Readonly<Record<Disturbance["kind"], number>> = { kill: 1, stop: 0.2, pause: 0.1, cut: 0.1 };

/** What is done, in an order by chance. */
export function planDisturbances(kills: number, random: () => number): readonly Disturbance["kind"][] {
  const plan = (["kill", "stop", "pause", "cut"] as const).flatMap((kind) =>
    Array.from({ length: Math.ceil(kills * SHARES[kind]) }, () => kind),
  );
  return plan
    .map((kind) => ({ kind, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ kind }) => kind);
}

/** Mulberry32: the same run of chances for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
