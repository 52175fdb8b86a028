import type { Engine, EngineOptions, MappingStatus } from "../engine/engine.ts";
import type { DestinationAddress } from "../manifests/destination-address.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connector } from "../ports/connector.ts";
import type { Destination } from "../ports/destination.ts";
import type { FunctionTarget } from "../ports/function-target.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { Random } from "../ports/random.ts";
import type { CounterName, GaugeName, LogLevel, Telemetry } from "../ports/telemetry.ts";
import type { Tracing } from "../ports/tracing.ts";
import type { StoreUrl } from "./store-url.ts";

/** What commands need of the adapters. Only `main.ts` makes one; tests make others. */
export interface Adapters {
  readonly clock: Clock;
  readonly random: Random;
  readonly connectors: readonly Connector[];
  createEngine(options: EngineOptions): Engine;
  openStore(url: StoreUrl): Promise<ProgressStore>;
  /** `onOutput` gets each line that a function of this process prints. */
  openFunction(resource: FunctionResource, onOutput: (line: string) => void): Promise<FunctionTarget>;
  /** A topic is opened by the connector of its mapping. */
  openDestination(address: Exclude<DestinationAddress, { readonly kind: "kafka" }>): Promise<Destination>;
  createTelemetry(log: LogWriter, level: LogLevel): RunTelemetry;
  createJsonLog(level: LogLevel): LogWriter;
  /**
   * `undefined`: nothing is traced. `endpoint` is what `--otlp` names, before OpenTelemetry's environment variables.
   * @throws MillraceError ERR_MILLRACE_CONFIG
   */
  openTracing(
    endpoint: string | undefined,
    telemetry: RunTelemetry,
    version: string,
  ): Promise<RunTracing | undefined>;
  /** `undefined` when `address` is `off`. */
  startApi(address: string, content: ApiContent): Promise<RunningApi | undefined>;
}

export type LogWriter = (
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, string | number | boolean>>,
) => void;

export interface RunTelemetry extends Telemetry {
  register(mapping: string): void;
  /** Has metrics show the status of these. */
  watch(status: () => readonly MappingStatus[]): void;
  /** The same store, measured. */
  observeStore(store: ProgressStore): ProgressStore;
  totals(mapping: string): MappingTotals;
  metricsText(): Promise<string>;
  readonly metricsContentType: string;
  readonly spans: SpanCounts;
}

/** Spans that reached their collector, and those that did not. */
export interface SpanCounts {
  exported(spans: number): void;
  dropped(reason: "queue_full" | "refused" | "unreachable", spans: number): void;
}

export interface RunTracing extends Tracing {
  /** Sends what waits, within a bound. */
  close(): Promise<void>;
}

/** Sums since the start of the process. */
export interface MappingTotals {
  readonly counters: Readonly<Record<CounterName, number>>;
  readonly gauges: Readonly<Record<GaugeName, number>>;
  readonly invocations: number;
}

export interface ApiContent {
  readonly version: string;
  readonly status: () => readonly MappingStatus[];
  readonly metricsText: () => Promise<string>;
  readonly metricsContentType: string;
}

export interface RunningApi {
  readonly url: string;
  close(): Promise<void>;
}
