import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from "prom-client";

type Snapshot = MetricObjectWithValues<MetricValue<string>>[];

/** Metrics of several processes as one: sums, or what prom-client says of its own metrics of a process. */
export interface MetricsMerger {
  /** The newest of a process, of `RunTelemetry.metricsSnapshot`, perhaps through JSON. */
  update(processId: string, snapshot: unknown): void;
  /** It has ended: what it had counted stays counted, or the sums would seem to begin anew. */
  retire(processId: string): void;
  /** Prometheus's text format. */
  text(): Promise<string>;
}

export function createMetricsMerger(): MetricsMerger {
  const living = new Map<string, Snapshot>();
  let retired = Promise.resolve<Snapshot>([]);
  return {
    update(processId, snapshot) {
      if (isSnapshot(snapshot)) living.set(processId, snapshot);
    },
    retire(processId) {
      const counted = living.get(processId)?.filter(({ type }) => isCounted(String(type))) ?? [];
      living.delete(processId);
      retired = retired.then((before) => AggregatorRegistry.aggregate([before, counted]).getMetricsAsJSON());
    },
    async text() {
      const gone = await retired;
      return await AggregatorRegistry.aggregate([...living.values(), gone]).metrics();
    },
  };
}

function isCounted(type: string): boolean {
  return type === "counter" || type === "histogram";
}

function isSnapshot(value: unknown): value is Snapshot {
  return Array.isArray(value);
}
