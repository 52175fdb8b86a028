import { fileURLToPath } from "node:url";

/** One line of a benchmark. Speed is a ratio within one run; absolute figures are for orientation only. */
export interface Measurement {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly holds?: boolean;
  /** Set: it is this row of the table of `docs/performance.md`. */
  readonly row?: Row;
}

export interface Row {
  readonly work: string;
  /** What the same costs with nothing but what must be, in the same run and unit. */
  readonly limit?: number;
}

/** A row of the table: `value` is to be at most `goal`. */
export function rowOf(row: Row, value: number, unit: string, goal: number): Measurement {
  return { metric: row.work, value, unit, goal: `≤ ${goal}`, holds: value <= goal, row };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function formatMeasurement({ metric, value, unit, goal, holds, row }: Measurement): string {
  const limit = row?.limit === undefined ? "" : `, limit ${row.limit.toFixed(2)}`;
  const verdict = goal === undefined ? "" : `  (goal ${goal}${limit}: ${holds ? "holds" : "MISSED"})`;
  return `${metric}: ${value >= 1_000 ? Math.round(value).toLocaleString("en") : value.toFixed(2)} ${unit}${verdict}`;
}

/** Lets a benchmark's file be run by itself. */
export async function printWhenRunAlone(
  url: string,
  run: () => Promise<readonly Measurement[]>,
): Promise<void> {
  if (process.argv[1] !== fileURLToPath(url)) return;
  for (const line of await run()) console.log(formatMeasurement(line));
}
