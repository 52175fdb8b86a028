import { Histogram, type Registry } from "prom-client";
import type { Buckets } from "./mapping-series.ts";

export interface BucketsHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Names of the labels. */
  readonly labels: readonly string[];
  readonly registry: Registry;
  /** With the labels' values, in the order of their names. */
  read(): Iterable<readonly [values: readonly string[], buckets: Buckets]>;
}

/**
 * A prom-client histogram that is read from our own buckets: its own `observe` hashes labels at every call, which an
 * invocation would pay for three times.
 */
export class BucketsHistogram extends Histogram<string> {
  readonly #options: BucketsHistogramOptions;

  constructor(options: BucketsHistogramOptions) {
    const { name, help, labels, registry } = options;
    super({ name, help, labelNames: [...labels], registers: [registry] });
    this.#options = options;
  }

  /** The registry asks for this in place of `get`, and so does `get` itself; prom-client's types leave it out. */
  async getForPromString() {
    const { name, help, read } = this.#options;
    const values = [...read()].flatMap(([labels, buckets]) => this.#samples(labels, buckets));
    return { name, help, type: "histogram", values, aggregator: "sum" };
  }

  #samples(of: readonly string[], { bounds, counts, sum }: Buckets) {
    const { name, labels: names } = this.#options;
    const labels = Object.fromEntries(names.map((label, index) => [label, of[index] ?? ""]));
    let total = 0;
    const samples = counts.map((count, index) => {
      total += count;
      const le = bounds[index] ?? "+Inf";
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: total };
    });
    const all = [
      ...samples,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: total },
    ];
    // `get` merges these into the labels, and breaks without.
    return all.map((sample) => ({ ...sample, sharedLabels: {} }));
  }
}
