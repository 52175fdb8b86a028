import type { ControlPlane } from "../control/control-plane.ts";
import type { DemandReaderOptions } from "../control/demand/demand-reader.ts";
import type { DeploymentAdapters } from "../control/deployments.ts";
import type { EmbeddedBooks } from "../control/embedded/embedded-book.ts";
import type { OpenFailureReader } from "../control/failure-readers.ts";
import type { PackageParts } from "../control/functions/package-sweep.ts";
import type { EventFigures } from "../control/process-snapshot.ts";
import type { Engine, EngineOptions, MappingStatus } from "../engine/engine.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import type { MappingContext } from "../manifests/mapping-checks.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import type { Place } from "../model/place.ts";
import type { AlarmQuery } from "../ports/alarm-query.ts";
import type { LaneBacklog } from "../ports/async-queue.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connector } from "../ports/connector.ts";
import type { Destination } from "../ports/destination.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { EnvironmentFigures, EnvironmentWatch } from "../ports/environment-watch.ts";
import type { FolderWatch } from "../ports/folder-watch.ts";
import type { FrontTelemetry } from "../ports/front-telemetry.ts";
import type { FunctionLog } from "../ports/function-log.ts";
import type { FunctionTarget } from "../ports/function-target.ts";
import type { FunctionTargetKind } from "../ports/function-target-kind.ts";
import type { PackageFolders } from "../ports/package-folders.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { Random } from "../ports/random.ts";
import type { ScheduleTelemetry } from "../ports/schedule-telemetry.ts";
import type { LogLevel, Telemetry } from "../ports/telemetry.ts";
import type { Tracing } from "../ports/tracing.ts";
import type { MappingTotals } from "./mapping-progress.ts";
import type { MemberProcess } from "./processes/group-messages.ts";
import type { StoreAdapters } from "./store-adapters.ts";
import type { StoreUrl } from "./store-url.ts";

/** What commands need of the adapters. Only `main.ts` makes one; tests make others. */
/** What a function of this process finds around it. */
export interface FunctionHost {
  /** Gets each line that it prints. */
  readonly log: FunctionLog;
  /** Who is told what becomes of its environments. */
  readonly watchOf?: ((fn: string) => EnvironmentWatch) | undefined;
  /** Gets each file that it is made of, when it is read. */
  readonly onImport?: ((path: string) => void) | undefined;
  /** Where code of its own comes from. */
  readonly packages?: PackageFolders;
  /** AWS region that it finds itself in. */
  readonly region?: string;
}

export interface Adapters extends DeploymentAdapters, StoreAdapters {
  readonly clock: Clock;
  readonly random: Random;
  readonly connectors: readonly Connector[];
  /** Kinds that the operator brings. */
  readonly destinations: readonly DestinationKind[];
  readonly targets: readonly FunctionTargetKind[];
  /** For all sources that are opened from now on. */
  chooseAwsReadPath(path: "hand" | "sdk"): void;
  createEngine(options: EngineOptions): Engine;
  /** Opens `target`, which may be of any version. */
  openFunction(resource: FunctionResource, host: FunctionHost): Promise<FunctionTarget>;
  /** @throws MillraceError ERR_MILLRACE_CONFIG for a place of no known form */
  openPackages(place: {
    readonly packages: string | undefined;
    readonly store: StoreUrl;
  }): Promise<RunPackages>;
  openHttpDestination(url: string): Promise<Destination>;
  /** `onHint` is called when something in one of the folders may be another. */
  watchFolders(onHint: () => void): FolderWatch;
  readonly openFailureReader: OpenFailureReader;
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
  /** Starts this program again with other words, as a child that shares its listening sockets. */
  startProcess(words: readonly string[]): MemberProcess;
  createMetricsMerger(): MetricsMerger;
  openAlarmQuery(prometheus: string | undefined, telemetry: Pick<Telemetry, "log">): AlarmQuery | undefined;
  /** @throws MillraceError ERR_MILLRACE_CONFIG when an address cannot be used */
  attach(places: AttachPlaces): Promise<RunningAttachment>;
  /** Answers KEDA from then on. @throws MillraceError ERR_MILLRACE_CONFIG when an address cannot be used */
  startScaler(places: ScalerPlaces, parts: ScalerParts): Promise<RunningScaler>;
  /** `undefined` when `address` is `off`, and there is no address for metrics. */
  startApi(place: ApiPlace, content: ApiContent): Promise<RunningApi | undefined>;
  /** Runs custom resources from then on. @throws MillraceError ERR_MILLRACE_CONFIG */
  startController(place: ClusterPlaces, parts: ControllerParts): Promise<RunningController>;
  /** Serves HTTP requests from outside by the routes of the control plane; `undefined`: none are. */
  startFront(place: FrontOptions, content: FrontContent): Promise<RunningFront | undefined>;
}

/** Whose custom resources are run. */
export interface ClusterPlaces {
  /** `*`: all; `.`: that of the pod, or of the kubeconfig. */
  readonly namespaces: readonly string[];
  readonly kubeconfig: string | undefined;
  readonly secretsFolder: string | undefined;
}

/** What the controller of custom resources works with. */
export interface ControllerParts {
  /** The set that its objects are, in the store. */
  readonly set: string;
  readonly context: Omit<MappingContext, "nowMs">;
  readonly folder: string;
  readonly plane: () => ControlPlane | undefined;
  /** @throws MillraceError */
  readonly apply: (manifests: Manifests) => Promise<void>;
  readonly telemetry: Pick<Telemetry, "log">;
}

export interface RunningController {
  stop(): Promise<void>;
}

/** Where an external scaler is served. */
export interface ScalerPlaces extends ListenPlace {
  /** Paths; `undefined`: connections are not encrypted. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string | undefined } | undefined;
  readonly metrics: ListenPlace | undefined;
}

/** What it reads. */
export interface ScalerParts extends Omit<DemandReaderOptions, "clock"> {
  readonly telemetry: Pick<Telemetry, "log">;
}

export interface RunningScaler {
  readonly address: string;
  readonly metricsUrl: string | undefined;
  close(): Promise<void>;
}

export interface AttachPlaces {
  readonly runtime: ListenPlace;
  readonly serve: ListenPlace;
  readonly health: ListenPlace | undefined;
}

export interface ListenPlace {
  readonly host: string;
  readonly port: number;
}

export interface RunningAttachment {
  readonly runtimeAddress: string;
  readonly url: string;
  close(): Promise<void>;
}

export interface RunPackages extends PackageParts {
  close(): Promise<void>;
}

export type LogWriter = (
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, string | number | boolean>>,
) => void;

export interface RunTelemetry extends Telemetry {
  register(mapping: string): void;
  unregister(mapping: string): void;
  /** Has metrics show the status of these. */
  watch(status: () => readonly MappingStatus[]): void;
  /** Has metrics show, by kind, how many resources are not as their owners declared them. */
  watchDrift(drift: () => ReadonlyMap<string, number>): void;
  /** Has metrics show the queue of asynchronous events. */
  watchEvents(backlog: () => readonly LaneBacklog[]): void;
  /** The same store, measured. */
  observeStore(store: ProgressStore): ProgressStore;
  totals(mapping: string): MappingTotals;
  metricsText(): Promise<string>;
  readonly metricsContentType: string;
  readonly spans: SpanCounts;
  readonly ticks: ScheduleTelemetry;
  readonly front: FrontTelemetry;
  /** Is told what becomes of the environments of a function. */
  watchOf(fn: string): EnvironmentWatch;
  environments(): readonly EnvironmentFigures[];
  /** What became of the asynchronous events of each function. */
  eventFigures(): readonly EventFigures[];
  /** A line that a function has printed: it may be metrics. */
  functionLine(fn: string, text: string): void;
  /** What `MetricsMerger` takes; goes through JSON. */
  metricsSnapshot(): Promise<unknown>;
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

/** Metrics of several processes as one. */
export interface MetricsMerger {
  update(processId: string, snapshot: unknown): void;
  /** It has ended: what it had counted stays counted. */
  retire(processId: string): void;
  text(): Promise<string>;
}

export interface ApiContent {
  readonly version: string;
  /** Over all processes that were started together. */
  readonly status: () => Promise<readonly MappingStatus[]>;
  readonly metricsText: () => Promise<string>;
  readonly metricsContentType: string;
  /** `undefined` until everything is open. */
  readonly control: () => ControlPlane | undefined;
  /** As `control`. */
  readonly embedded: () => EmbeddedBooks | undefined;
  /** Stands in ARNs that producers are told. */
  readonly place: Place;
  readonly log: Telemetry["log"];
}

/** Where HTTP requests from outside are served, and to whom. */
export interface FrontOptions {
  /** HOST:PORT, or `off`; `undefined`: nowhere. */
  readonly address: string | undefined;
  /** What function URLs end in. */
  readonly domain: string | undefined;
  /** Addresses and blocks of proxies whose words count. */
  readonly trusted: readonly string[];
  /** The API's. */
  readonly credentialsFile: string | undefined;
  /** Absent: without TLS. */
  readonly tls?: FrontTlsOptions | undefined;
}

export interface FrontTlsOptions {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** HOST:PORT where who comes without TLS is sent on; absent: nowhere. */
  readonly redirectAddress: string | undefined;
}

export interface FrontContent {
  readonly control: ControlPlane;
  readonly place: Place;
  readonly telemetry: FrontTelemetry;
  readonly log: Telemetry["log"];
}

export interface RunningFront {
  /** `undefined` while it waits for a route. */
  readonly url: string | undefined;
  /** Takes no more requests; resolves when those that run are answered, or the time is up. */
  drain(drainMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Where the API is served, and to whom. */
export interface ApiPlace {
  /** HOST:PORT, or `off`. */
  readonly address: string;
  readonly credentialsFile: string | undefined;
  readonly hosts: readonly string[];
  readonly isPageShown: boolean;
  /** Takes a free port where `address` is taken. */
  readonly isAnyPort?: boolean;
  /** HOST:PORT of a server for metrics and health alone. */
  readonly metricsAddress: string | undefined;
  /** What SNS may push to functions. */
  readonly sns?: SnsPlace;
  /** HOST:PORT of a server for producers, or `off`; `undefined`: none. */
  readonly sourcesAddress?: string | undefined;
}

export interface SnsPlace {
  /** Functions with what may push to them; an ARN may end in `*`. */
  readonly declared: readonly { readonly functionName: string; readonly arn: string }[];
  /** Whose certificates count besides AWS's: `HOST` or `HOST:PORT`. */
  readonly hosts: readonly string[];
}

export interface RunningApi {
  readonly url: string | undefined;
  readonly metricsUrl: string | undefined;
  readonly sourcesUrl?: string | undefined;
  close(): Promise<void>;
}
