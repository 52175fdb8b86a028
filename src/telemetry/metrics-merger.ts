import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from "prom-client";

type Snapshot = MetricObjectWithValues<MetricValue<string>>[];

/**
 * Metrics of several processes as one. Each metric says by its `aggregator` how: what is counted, held or may run is
 * added up; of ages, states and what is known by one process the largest counts. For prom-client's own see
 * `PROCESS_AGGREGATORS`.
 */
export interface MetricsMerger {
  /** The newest of a process, of `RunTelemetry.metricsSnapshot`, perhaps through JSON. */
  update(processId: string, snapshot: unknown): void;
  /** It has ended: what it had counted stays counted, or the sums would seem to begin anew. */
  retire(processId: string): void;
  /** Prometheus's text format. */
  text(): Promise<string>;
}

/**
 * prom-client averages most lags of the event loop, which hides one process that stands still among many; and adds up
 * descriptors and their limit, which hides the one that has none left.
 */
const PROCESS_AGGREGATORS: Readonly<Record<string, "max" | "min">> = {
  nodejs_eventloop_lag_seconds: "max",
  nodejs_eventloop_lag_mean_seconds: "max",
  nodejs_eventloop_lag_stddev_seconds: "max",
  nodejs_eventloop_lag_p50_seconds: "max",
  nodejs_eventloop_lag_p90_seconds: "max",
  nodejs_eventloop_lag_p99_seconds: "max",
  nodejs_version_info: "max",
  process_open_fds: "max",
  process_max_fds: "min",
};

/** A mapping that runs in a process has this series from its first moment there to its last. */
const MAPPINGS_METRIC = "millrace_polled_events_total";

export function createMetricsMerger(): MetricsMerger {
  const living = new Map<string, Snapshot>();
  /** Counts of processes that have ended, and of mappings that a process has stopped. */
  let ended: Promise<Snapshot> = Promise.resolve([]);
  const keep = (counts: Snapshot) => {
    ended = ended.then((before) => AggregatorRegistry.aggregate([before, counts]).getMetricsAsJSON());
  };
  return {
    update(processId, snapshot) {
      if (!isSnapshot(snapshot)) return;
      const now = snapshot.map(withAggregator);
      const before = living.get(processId) ?? [];
      const still = mappingsOf([now]);
      const hasStopped = (mapping: string | undefined) => mapping !== undefined && !still.has(mapping);
      if ([...mappingsOf([before])].some(hasStopped)) keep(countsOf(before, hasStopped));
      living.set(processId, now);
    },
    retire(processId) {
      const last = living.get(processId);
      living.delete(processId);
      if (last !== undefined) keep(countsOf(last, () => true));
    },
    async text() {
      const snapshots = [...living.values()];
      const known = mappingsOf(snapshots);
      // A mapping that runs nowhere has no series, as with one process: what was deleted is not shown for ever.
      const shown = ended.then((counts) =>
        countsOf(counts, (mapping) => mapping === undefined || known.has(mapping)),
      );
      ended = shown;
      return await AggregatorRegistry.aggregate([...snapshots, await shown]).metrics();
    },
  };
}

function withAggregator(metric: Snapshot[number]): Snapshot[number] {
  return { ...metric, aggregator: PROCESS_AGGREGATORS[metric.name] ?? metric.aggregator };
}

function mappingsOf(snapshots: readonly Snapshot[]): ReadonlySet<string> {
  const values = snapshots.flat().flatMap(({ name, values }) => (name === MAPPINGS_METRIC ? values : []));
  return new Set(values.map(mappingOf).filter((mapping) => mapping !== undefined));
}

/** What only ever rises, of the mappings that are wanted; `undefined` for what is of none. */
function countsOf(snapshot: Snapshot, isWanted: (mapping: string | undefined) => boolean): Snapshot {
  return snapshot
    .filter(({ type }) => isCounted(String(type)))
    .map((metric) => ({ ...metric, values: metric.values.filter((value) => isWanted(mappingOf(value))) }));
}

function mappingOf({ labels }: MetricValue<string>): string | undefined {
  const mapping = labels["mapping"];
  return mapping === undefined ? undefined : String(mapping);
}

function isCounted(type: string): boolean {
  return type === "counter" || type === "histogram";
}

function isSnapshot(value: unknown): value is Snapshot {
  return Array.isArray(value);
}
