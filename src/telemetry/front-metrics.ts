import { Counter, Gauge, type Registry } from "prom-client";
import {
  FRONT_REFUSALS,
  type FrontGauges,
  type FrontRefusal,
  type FrontTelemetry,
} from "../ports/front-telemetry.ts";
import { BucketsHistogram } from "./buckets-histogram.ts";
import { Buckets, DURATION_SECONDS_BOUNDS } from "./mapping-series.ts";

/** Routes that series of their own are kept of: more than there may be, for those that come and go. */
const ROUTES_MAX = 2_000;
const NONE: FrontGauges = { connections: 0, bytes: 0, requests: 0 };

class RouteSeries {
  /** By `2xx` and its kin. */
  readonly classes = new Map<string, number>();
  readonly seconds = new Buckets(DURATION_SECONDS_BOUNDS);
}

/** Metrics of HTTP requests from outside. */
export class FrontMetrics implements FrontTelemetry {
  readonly #routes = new Map<string, RouteSeries>();
  readonly #refusals = new Map<FrontRefusal, number>(FRONT_REFUSALS.map((reason) => [reason, 0]));
  #gauges: () => FrontGauges = () => NONE;

  constructor(registry: Registry) {
    const registers = [registry];
    const routes = this.#routes;
    const refusals = this.#refusals;
    new Counter({
      name: "millrace_front_requests_total",
      help: "HTTP requests from outside that a route took, by the class of their statuses: AWS's UrlRequestCount, Url4xxCount and Url5xxCount.",
      labelNames: ["route", "code"] as const,
      registers,
      collect() {
        this.reset();
        for (const [route, { classes }] of routes)
          for (const [code, count] of classes) this.inc({ route, code }, count);
      },
    });
    new Counter({
      name: "millrace_front_refusals_total",
      help: "HTTP requests from outside that no function saw, by reason.",
      labelNames: ["reason"] as const,
      registers,
      collect() {
        this.reset();
        for (const [reason, count] of refusals) this.inc({ reason }, count);
      },
    });
    new BucketsHistogram({
      name: "millrace_front_request_duration_seconds",
      help: "Time from the end of a request's headers to the head of its response: AWS's UrlRequestLatency.",
      labels: ["route"],
      registry,
      read: () => [...routes].map(([route, { seconds }]) => [[route], seconds] as const),
    });
    this.#addGauges(registers);
  }

  #addGauges(registers: Registry[]): void {
    const read = () => this.#gauges();
    const texts = {
      connections: "Connections of HTTP requests from outside.",
      bytes: "Bytes of their bodies, of the events that are made of them and of responses, that are held.",
      requests: "HTTP requests from outside that are not answered yet.",
    } as const;
    for (const [name, help] of Object.entries(texts) as [keyof FrontGauges, string][]) {
      new Gauge({
        name: `millrace_front_${name}`,
        help,
        registers,
        aggregator: "sum",
        collect() {
          this.set(read()[name]);
        },
      });
    }
  }

  answered(route: string, status: number, durationMs: number): void {
    let series = this.#routes.get(route);
    if (series === undefined) {
      if (this.#routes.size >= ROUTES_MAX) return;
      series = new RouteSeries();
      this.#routes.set(route, series);
    }
    const code = `${Math.floor(status / 100)}xx`;
    series.classes.set(code, (series.classes.get(code) ?? 0) + 1);
    series.seconds.observe(durationMs / 1000);
  }

  refused(reason: FrontRefusal): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
  }

  watch(gauges: () => FrontGauges): void {
    this.#gauges = gauges;
  }
}
