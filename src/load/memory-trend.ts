export interface TimedValue {
  readonly atMs: number;
  readonly value: number;
}

/** A straight line through values, by least squares. */
export interface Trend {
  /** Change of the value in an hour. */
  readonly perHour: number;
  /** Two standard errors of it: the true slope is within, with 95 %, if the values scatter by chance. */
  readonly noisePerHour: number;
  readonly samples: number;
}

const HOUR_MS = 3_600_000;

/** `undefined` for fewer than three values, which show no scatter. */
export function trendOf(values: readonly TimedValue[]): Trend | undefined {
  const count = values.length;
  if (count < 3) return undefined;
  const meanAt = values.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const mean = values.reduce((sum, { value }) => sum + value, 0) / count;
  let spread = 0;
  let together = 0;
  for (const { atMs, value } of values) {
    spread += (atMs - meanAt) ** 2;
    together += (atMs - meanAt) * (value - mean);
  }
  if (spread === 0) return undefined;
  const slope = together / spread;
  let rest = 0;
  for (const { atMs, value } of values) rest += (value - mean - slope * (atMs - meanAt)) ** 2;
  const error = Math.sqrt(rest / (count - 2) / spread);
  return { perHour: slope * HOUR_MS, noisePerHour: 2 * error * HOUR_MS, samples: count };
}

/** Grows for sure: more than allowed even if the noise is taken off. */
export function growsBeyond(trend: Trend, perHourMax: number): boolean {
  return trend.perHour - trend.noisePerHour > perHourMax;
}
