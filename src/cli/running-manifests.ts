import { hostname } from "node:os";
import { ControlPlane } from "../control/control-plane.ts";
import { creatingStatus } from "../control/creating-status.ts";
import { Deployments } from "../control/deployments.ts";
import { reloadManifests } from "../control/reload.ts";
import type { AsyncWorker } from "../engine/create-engine.ts";
import type { Engine, MappingStatus, StopReport } from "../engine/engine.ts";
import { firstOf, whenLate } from "../lib/first-of.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type {
  ApiContent,
  RunningApi,
  RunningController,
  RunPackages,
  RunTelemetry,
  RunTracing,
} from "./adapters.ts";
import type { CliHost, ExitStatus } from "./command.ts";
import { RunEmbeddedBooks } from "./embedded-books.ts";
import { makeSources } from "./embedded-sources.ts";
import { hasFailed, type MappingProgress } from "./mapping-progress.ts";
import { ModuleFiles } from "./module-files.ts";
import { GroupMember } from "./processes/group-member.ts";
import { startRunController } from "./run-controller.ts";
import type { RunErrors } from "./run-errors.ts";
import { createEvents } from "./run-events.ts";
import { RunFailures } from "./run-failures.ts";
import { RunFront, tellStarted } from "./run-front.ts";
import { openFunctionBook } from "./run-function-book.ts";
import { openFunctionLog } from "./run-function-log.ts";
import { createInvokers } from "./run-invokers.ts";
import type { RunOptions } from "./run-options.ts";
import { RunStores, tellOwnLimits } from "./run-stores.ts";
import { tellStop } from "./told-stop.ts";

/** What the engine may take beyond its drain, for last checkpoints, before the process ends without it. */
const STOP_GRACE_MS = 5000;

/** What `run` has started: it starts, reads its manifests again, stops and closes, in the order that each wants. */
export class RunningManifests {
  #manifests: Manifests;
  #reloading: Promise<void> = Promise.resolve();
  readonly #options: RunOptions;
  readonly #host: CliHost;
  readonly #telemetry: RunTelemetry;
  /** What functions of this process are made of. */
  readonly moduleFiles: ModuleFiles;
  /** `undefined`: this process is on its own. */
  readonly #member: GroupMember | undefined;
  readonly #embedded: RunEmbeddedBooks;
  #api: RunningApi | undefined;
  readonly #front: RunFront;
  #stores: RunStores | undefined;
  #deployments: Deployments | undefined;
  #control: ControlPlane | undefined;
  #engine: Engine | undefined;
  #events: AsyncWorker | undefined;
  #failures: RunFailures | undefined;
  #tracing: RunTracing | undefined;
  #packages: RunPackages | undefined;
  #controller: RunningController | undefined;

  constructor(manifests: Manifests, options: RunOptions, host: CliHost, telemetry: RunTelemetry) {
    this.#manifests = manifests;
    this.#options = options;
    this.#host = host;
    this.#telemetry = telemetry;
    this.moduleFiles = new ModuleFiles(options.watched !== undefined);
    this.#embedded = new RunEmbeddedBooks(host.adapters.connectors, options);
    this.#front = new RunFront(options, host.adapters);
    const sources = {
      progress: () => this.progress(),
      metrics: () => telemetry.metricsSnapshot(),
      metricsText: () => telemetry.metricsText(),
    };
    this.#member = host.parent && new GroupMember(host.parent, sources, host.adapters.clock);
  }

  /** The API first: it says that the process is alive, and not ready, while sources and functions are opened. */
  async start(show: (line: string) => void, errors: RunErrors): Promise<void> {
    const { adapters, version } = this.#host;
    const telemetry = this.#telemetry;
    telemetry.watch(() => this.status());
    telemetry.watchDrift(() => this.#control?.drifted() ?? new Map());
    this.#api = await adapters.startApi(this.#options.api, this.#apiContent());
    tellOwnLimits(this.#options.store, this.#manifests.functions, telemetry);
    const { settings, place, otlp } = this.#options;
    const tracing = await adapters.openTracing(otlp, this.#telemetry, version);
    this.#tracing = tracing;
    const { clock, random, connectors, destinations } = adapters;
    const invokers = createInvokers({ ...this.#options, adapters, telemetry, tracing, errors: errors.book });
    const packages = await adapters.openPackages(this.#options);
    this.#packages = packages;
    const functionLog = openFunctionLog({ ...adapters, telemetry, show });
    const functionBook = openFunctionBook({
      ...{ adapters, telemetry, invokers, errors, packages, functionLog, region: place.region },
      functions: this.#manifests.functions,
      moduleFiles: this.moduleFiles,
    });
    this.#deployments = new Deployments(functionBook, adapters);
    if (this.#options.dev !== undefined) await makeSources(this.#manifests, telemetry.log);
    const stores = await this.#openStores(this.#deployments);
    this.#stores = stores;
    const { progress, resources: store, cells, snapshots } = stores;
    const world = { stores, adapters, telemetry, control: () => this.#control };
    const failures = new RunFailures(world);
    this.#failures = failures;
    const processId = `${hostname()}-${process.pid}-${random.uuid()}`;
    const shared = { invokers, owner: processId, clock, random, telemetry, settings };
    const observed = telemetry.observeStore(progress);
    const engine = failures.engine({ ...shared, tracing, store: observed }, functionBook);
    this.#engine = engine;
    this.#events = createEvents({ ...world, functionBook, invokers, place, failures });
    this.#control = await ControlPlane.start({
      ...this.#options,
      alarmQuery: adapters.openAlarmQuery(this.#options.prometheus, telemetry),
      engine,
      processId,
      manifests: this.#manifests,
      deployments: this.#deployments,
      functionBook,
      functionLog: functionLog.book,
      events: this.#events,
      invokers,
      cells,
      failures,
      snapshots,
      packages,
      store,
      progress,
      connectors,
      destinations,
      front: this.#front.place,
      clock,
      random,
      telemetry,
    });
    await Promise.all([this.#events?.start(), this.#front.start(this.#control, telemetry)]);
    const applied = { plane: () => this.#control, apply: (read: Manifests) => this.#apply(read), telemetry };
    this.#controller = await startRunController(this.#options, this.#host, applied);
    await tellStarted(this.#control, version, telemetry, this.#api, this.#front);
    this.#member?.started();
  }

  #apiContent(): ApiContent {
    return {
      version: this.#host.version,
      status: () => this.#statusOfAll(),
      metricsText: () => this.#metricsOfAll(),
      metricsContentType: this.#telemetry.metricsContentType,
      control: () => this.#control,
      embedded: () => this.#embedded.of(this.#control),
      place: this.#options.place,
      log: (level, message, fields) => this.#telemetry.log(level, message, fields),
    };
  }

  /** One after the other. Before the control plane is there nothing is to be done: it reads what there is then. */
  reload(): void {
    this.#next(() => this.#reload());
  }

  /** Functions that are made of other files than when they were opened are opened anew. */
  reopen(): void {
    this.#next(() => this.#reopen());
  }

  /** Behind what is being applied. Rejects when these could not be. */
  #apply(manifests: Manifests): Promise<void> {
    const applied = this.#reloading.then(() => this.#applyAgain(manifests));
    this.#reloading = applied.catch(() => undefined);
    return applied;
  }

  #next(step: () => Promise<void>): void {
    this.#reloading = this.#reloading.then(step).catch((error: unknown) => {
      const message = "the manifests could not be applied anew; what was applied goes on";
      this.#telemetry.log("error", message, { error: describeError(error) });
    });
  }

  #reload(): Promise<void> {
    return reloadManifests(
      this.#options.readAgain(),
      (manifests) => this.#applyAgain(manifests),
      this.#telemetry,
    );
  }

  async #applyAgain(manifests: Manifests): Promise<void> {
    if (this.#control === undefined) return;
    this.#manifests = manifests;
    if (this.#options.dev !== undefined) await makeSources(manifests, this.#telemetry.log);
    await this.#control.reload(manifests);
    this.#telemetry.log("info", "manifests read again and applied", {});
    await this.#reopen();
  }

  async #reopen(): Promise<void> {
    await this.#control?.reopen(this.moduleFiles.changed());
  }

  /** @throws MillraceError that also names what else is in the way of the start. */
  async #openStores(deployments: Deployments): Promise<RunStores> {
    try {
      return await RunStores.open(this.#host.adapters, this.#options);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      const enabled = this.#manifests.mappings.filter(({ mapping }) => mapping.enabled);
      const others = await deployments.openAll(enabled).then(
        () => [],
        (other: unknown) => (other instanceof MillraceError ? [other.message] : [describeError(other)]),
      );
      const message = [`The store: ${error.message}`, ...others].join("\n");
      throw new MillraceError(error.code, message, { cause: error });
    }
  }

  greeting(): string {
    return this.#options.dev?.greeting(this.#api?.url, this.#manifests) ?? "";
  }

  /** The status of the enabled mappings; those that the engine does not have yet are being created. */
  status(): readonly MappingStatus[] {
    if (this.#control !== undefined) return this.#control.status();
    return this.#manifests.mappings
      .filter(({ mapping }) => mapping.enabled)
      .map(({ mapping }) => ({ ...creatingStatus(mapping), isFromManifest: true }));
  }

  /** Names the mappings that nobody could start. `false`: there are none. */
  tellUnstarted(): boolean {
    const unstarted = this.status().filter(hasFailed);
    if (unstarted.length === 0) return false;
    const error = unstarted.map(({ name, problem }) => `${name}: ${problem ?? "it stopped on a defect"}`);
    this.#telemetry.log("error", "mappings did not run: what their sources hold is not processed", {
      mappings: unstarted.length,
      error: error.join("\n"),
    });
    return true;
  }

  progress(): readonly MappingProgress[] {
    return this.status().map((status) => ({ status, totals: this.#telemetry.totals(status.name) }));
  }

  async #statusOfAll(): Promise<readonly MappingStatus[]> {
    if (this.#member === undefined) return this.status();
    return (await this.#member.group(false)).mappings.map(({ status }) => status);
  }

  async #metricsOfAll(): Promise<string> {
    if (this.#member === undefined) return await this.#telemetry.metricsText();
    return (await this.#member.group(true)).metricsText;
  }

  async stop(): Promise<ExitStatus> {
    const { drainMs } = this.#options;
    const late = whenLate(this.#host.adapters.clock, drainMs + STOP_GRACE_MS, "late" as const);
    const result = await firstOf(this.#stopEngine(drainMs), late);
    return await tellStop(result, this.#stores, drainMs, this.#telemetry);
  }

  /** The engine first: what it runs must not wait for a store that does not answer. */
  async #stopEngine(drainMs: number): Promise<StopReport> {
    const stopping = [
      this.#engine?.stop(drainMs),
      this.#control?.stop(),
      this.#front.drain(drainMs),
      this.#events?.stop(drainMs),
      this.#controller?.stop(),
    ] as const;
    const [report] = await Promise.all(stopping);
    await this.#control?.forget();
    return report ?? { comesAgain: 0 };
  }

  async close(): Promise<void> {
    await this.#front.close();
    for (const error of (await this.#deployments?.close()) ?? []) {
      this.#telemetry.log("warn", "something could not be closed", { error });
    }
    await this.#failures?.close();
    for (const error of (await this.#stores?.close()) ?? []) {
      const fields = { error: `The store: ${describeError(error)}` };
      this.#telemetry.log("warn", "something could not be closed", fields);
    }
    await this.#packages?.close();
    await this.#tracing?.close();
    await this.#api?.close();
    await this.#embedded.close();
  }
}
