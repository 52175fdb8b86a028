import {
  COUNTERS,
  type CounterName,
  GAUGES,
  type GaugeName,
  HISTOGRAMS,
  type HistogramName,
} from "../ports/telemetry.ts";

/** What is counted of one mapping. Plain numbers: counting happens for every batch, reading a few times a minute. */
export interface MappingSeries {
  readonly counters: Record<CounterName, number>;
  readonly gauges: Record<GaugeName, number>;
  readonly histograms: Record<HistogramName, Buckets>;
  readonly durationSeconds: Buckets;
  readonly outcomes: Map<string, number>;
  /** By shard; `undefined` until a shard of the mapping has told one. */
  offsetLags: Map<string, number> | undefined;
}

export function createMappingSeries(): MappingSeries {
  return {
    counters: mapNames(COUNTERS, () => 0),
    gauges: mapNames(GAUGES, () => 0),
    histograms: mapNames(HISTOGRAMS, (name) => new Buckets(HISTOGRAM_BOUNDS[name])),
    durationSeconds: new Buckets(DURATION_SECONDS_BOUNDS),
    outcomes: new Map(),
    offsetLags: undefined,
  };
}

const DWELL_SECONDS_BOUNDS: readonly number[] = [0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** A day is the retention of most streams; a week the longest of AWS's record ages. */
export const HISTOGRAM_BOUNDS: Readonly<Record<HistogramName, readonly number[]>> = {
  iterator_age_seconds: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400, 604_800],
  put_to_invoke_seconds: [
    0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 86_400,
  ],
  quiet_tenant_dwell_seconds: DWELL_SECONDS_BOUNDS,
  noisy_tenant_dwell_seconds: DWELL_SECONDS_BOUNDS,
  batch_size_records: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
};

/** Up to Lambda's longest time-out. */
export const DURATION_SECONDS_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900,
];

/** A histogram's counts; `counts` has one more entry than there are bounds, for what is larger than all of them. */
export class Buckets {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.bounds.length && value > (this.bounds[index] ?? 0)) index += 1;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += value;
  }
}

function mapNames<Name extends string, Value>(
  names: Readonly<Record<Name, string>>,
  initial: (name: Name) => Value,
): Record<Name, Value> {
  const entries = (Object.keys(names) as Name[]).map((name) => [name, initial(name)] as const);
  return Object.fromEntries(entries) as Record<Name, Value>;
}
