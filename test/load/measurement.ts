import { fileURLToPath } from "node:url";

/** One line of a benchmark. Speed is a ratio within one run; absolute figures are for orientation only. */
export interface Measurement {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly holds?: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function formatMeasurement({ metric, value, unit, goal, holds }: Measurement): string {
  const verdict = goal === undefined ? "" : `  (goal ${goal}: ${holds ? "holds" : "MISSED"})`;
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
