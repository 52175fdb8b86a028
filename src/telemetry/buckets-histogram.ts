import { Histogram, type Registry } from "prom-client";
import type { Buckets } from "./mapping-series.ts";

/**
 * A prom-client histogram that is read from our own buckets: its own `observe` hashes labels at every call, which an
 * invocation would pay for three times.
 */
export class BucketsHistogram extends Histogram<"mapping"> {
  readonly #name: string;
  readonly #help: string;
  readonly #read: () => Iterable<readonly [mapping: string, buckets: Buckets]>;

  constructor(
    name: string,
    help: string,
    registry: Registry,
    read: () => Iterable<readonly [mapping: string, buckets: Buckets]>,
  ) {
    super({ name, help, labelNames: ["mapping"], registers: [registry] });
    this.#name = name;
    this.#help = help;
    this.#read = read;
  }

  /** The registry asks for this in place of `get`, and so does `get` itself; prom-client's types leave it out. */
  async getForPromString() {
    const values = [...this.#read()].flatMap(([mapping, buckets]) => this.#samples(mapping, buckets));
    return { name: this.#name, help: this.#help, type: "histogram", values, aggregator: "sum" };
  }

  #samples(mapping: string, { bounds, counts, sum }: Buckets) {
    let total = 0;
    const samples = counts.map((count, index) => {
      total += count;
      const le = bounds[index] ?? "+Inf";
      return { metricName: `${this.#name}_bucket`, labels: { le, mapping }, value: total };
    });
    const labels = { mapping };
    const all = [
      ...samples,
      { metricName: `${this.#name}_sum`, labels, value: sum },
      { metricName: `${this.#name}_count`, labels, value: total },
    ];
    // `get` merges these into the labels, and breaks without.
    return all.map((sample) => ({ ...sample, sharedLabels: {} }));
  }
}
