import { Counter, type Registry } from "prom-client";
import type { Clock } from "../ports/clock.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import { BucketsHistogram } from "./buckets-histogram.ts";
import { Buckets } from "./mapping-series.ts";

/** Calls of the port that are measured; `close` is not. */
const OPERATIONS = [
  "list",
  "initialise",
  "add",
  "acquire",
  "renew",
  "checkpoint",
  "release",
  "requestHandover",
  "remove",
] as const;
type Operation = (typeof OPERATIONS)[number];

const STORE_SECONDS_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Measures a store: how long its calls take, whatever they come to, and how many fail. */
export class StoreMetrics {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #durations = new Map<Operation, Buckets>();
  readonly #errors = new Map<Operation, number>();

  constructor(registry: Registry, clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    for (const operation of OPERATIONS) {
      this.#durations.set(operation, new Buckets(STORE_SECONDS_BOUNDS));
      this.#errors.set(operation, 0);
    }
    const name = "millrace_store_call_duration_seconds";
    const help = "Time that calls of the store took, failed ones included.";
    const read = () => [...this.#durations].map(([operation, buckets]) => [[operation], buckets] as const);
    new BucketsHistogram({ name, help, labels: ["operation"], registry, read });
    const errors = this.#errors;
    new Counter({
      name: "millrace_store_errors_total",
      help: "Calls of the store that failed, or whose effect is unknown.",
      labelNames: ["operation"] as const,
      registers: [registry],
      collect() {
        this.reset();
        for (const [operation, count] of errors) this.inc({ operation }, count);
      },
    });
  }

  observe(store: ProgressStore): ProgressStore {
    const measure = this.#measure.bind(this);
    return {
      list: (...words) => measure("list", () => store.list(...words)),
      initialise: (...words) => measure("initialise", () => store.initialise(...words)),
      add: (...words) => measure("add", () => store.add(...words)),
      acquire: (...words) => measure("acquire", () => store.acquire(...words)),
      renew: (...words) => measure("renew", () => store.renew(...words)),
      checkpoint: (...words) => measure("checkpoint", () => store.checkpoint(...words)),
      release: (...words) => measure("release", () => store.release(...words)),
      requestHandover: (...words) => measure("requestHandover", () => store.requestHandover(...words)),
      remove: (...words) => measure("remove", () => store.remove(...words)),
      ...(store.onChange === undefined ? {} : { onChange: store.onChange.bind(store) }),
      close: () => store.close(),
    };
  }

  /** From before the call: a store may do its work before it gives its promise, as SQLite's does. */
  async #measure<Answer>(operation: Operation, call: () => Promise<Answer>): Promise<Answer> {
    const startedMs = this.#clock.monotonic();
    try {
      return await call();
    } catch (error) {
      this.#errors.set(operation, (this.#errors.get(operation) ?? 0) + 1);
      throw error;
    } finally {
      this.#durations.get(operation)?.observe((this.#clock.monotonic() - startedMs) / 1000);
    }
  }
}
