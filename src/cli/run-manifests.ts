import { hostname } from "node:os";
import { ControlPlane } from "../control/control-plane.ts";
import { creatingStatus } from "../control/creating-status.ts";
import { Deployments } from "../control/deployments.ts";
import { FunctionBook } from "../control/function-book.ts";
import type { Engine, MappingStatus, StopReport } from "../engine/engine.ts";
import type { EngineSettings } from "../engine/settings.ts";
import { InvokerBook } from "../invocation/invoker-book.ts";
import { firstOf, whenLate, whenSettled } from "../lib/first-of.ts";
import { formatProblems, type LoadedManifests, type Manifests } from "../manifests/load-manifests.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { NetworkReach } from "../model/network-reach.ts";
import type { Place } from "../model/place.ts";
import type { CellStore } from "../ports/cell-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { SourceEndpoints } from "../ports/connector.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import type { LogLevel } from "../ports/telemetry.ts";
import type { ManifestOwner } from "../resources/owner.ts";
import type { ApiPlace, LogWriter, RunningApi, RunTelemetry, RunTracing } from "./adapters.ts";
import { type CliHost, EXIT_FAILED, EXIT_OK, type ExitStatus } from "./command.ts";
import { ManifestWatch } from "./manifest-watch.ts";
import type { MappingProgress } from "./mapping-progress.ts";
import { GroupMember } from "./processes/group-member.ts";
import { ProgressDisplay } from "./progress-display.ts";
import { createLog } from "./run-log.ts";
import type { StoreUrl } from "./store-url.ts";
import { printable, printableOutput } from "./terminal-text.ts";
import { watchSignals } from "./watch-signals.ts";

export interface RunOptions {
  readonly api: ApiPlace;
  readonly store: StoreUrl;
  readonly logLevel: LogLevel;
  /** Base URL of a collector, or `off`; `undefined`: what the environment says. */
  readonly otlp: string | undefined;
  readonly drainMs: number;
  readonly settings: EngineSettings;
  /** End as if stopped once all mappings have processed and checkpointed what their sources hold. */
  readonly untilCaughtUp: boolean;
  /** Where sources of mappings of the API are that an ARN alone does not find. */
  readonly endpoints: SourceEndpoints;
  /** Where sources may be that callers of the API name by their addresses. */
  readonly reach: NetworkReach;
  /** Where functions and mappings are. */
  readonly place: Place;
  /** As whose declarations the manifests are kept. */
  readonly owner: ManifestOwner;
  readonly isAdopting: boolean;
  readonly isStrict: boolean;
  /** Reads and checks the manifests again. */
  readonly readAgain: () => LoadedManifests;
  /** Another text when the manifests' files are others; absent: they are not watched. */
  readonly watched: (() => string) | undefined;
  /** Stands in each log line. */
  readonly processId: string | undefined;
}

/** What the engine may take beyond its drain, for last checkpoints, before the process ends without it. */
const STOP_GRACE_MS = 5000;

/** Runs until a stop signal. @throws MillraceError when it cannot start. */
export async function runManifests(
  manifests: Manifests,
  options: RunOptions,
  host: CliHost,
): Promise<ExitStatus> {
  const { adapters } = host;
  const display = host.stderr.isTTY === true ? new ProgressDisplay(host.stderr, adapters.clock) : undefined;
  const telemetry = adapters.createTelemetry(
    withProcess(options.processId, createLog(display, options.logLevel, host)),
    options.logLevel,
  );
  host.onFatal((error) => {
    display?.stop();
    const stack = error instanceof Error ? error.stack : undefined;
    telemetry.log("error", "ending on an error that nothing handled", { error: describeError(error), stack });
    host.exitNow(EXIT_FAILED);
  });

  const ended = new AbortController();
  let watch: ManifestWatch | undefined;
  const running = new Running(manifests, options, host, telemetry);
  const stopSignal = watchSignals(host, telemetry.log, { onReload: () => running.reload() });
  try {
    const prefix = options.processId === undefined ? "" : `[process ${options.processId}] `;
    await running.start((line) =>
      display === undefined
        ? host.stderr.write(`${prefix}${printableOutput(line)}\n`)
        : display.line(prefix + printable(line)),
    );
    display?.start(() => running.progress());
    if (options.watched !== undefined)
      watch = new ManifestWatch(options.watched, adapters.clock, () => running.reload());
    const reason = await firstOf(
      stopSignal,
      ...(options.untilCaughtUp ? [whenSettled(caughtUp(running, adapters.clock, ended.signal))] : []),
    );
    watch?.stop();
    telemetry.log("info", "stopping", { reason, drainMs: options.drainMs });
    const isIncomplete = reason === "caught up" && running.tellUnstarted();
    const status = await running.stop();
    return isIncomplete ? EXIT_FAILED : status;
  } finally {
    ended.abort();
    watch?.stop();
    await running.close();
    display?.stop();
  }
}

function withProcess(processId: string | undefined, log: LogWriter): LogWriter {
  if (processId === undefined) return log;
  return (level, message, fields) => log(level, message, { process: processId, ...fields });
}

class Running {
  #manifests: Manifests;
  #reloading: Promise<void> = Promise.resolve();
  readonly #options: RunOptions;
  readonly #host: CliHost;
  readonly #telemetry: RunTelemetry;
  /** `undefined`: this process is on its own. */
  readonly #member: GroupMember | undefined;
  #api: RunningApi | undefined;
  #stores:
    | { readonly progress: ProgressStore; readonly mappings: ResourceStore; readonly cells: CellStore }
    | undefined;
  #deployments: Deployments | undefined;
  #control: ControlPlane | undefined;
  #engine: Engine | undefined;
  #tracing: RunTracing | undefined;

  constructor(manifests: Manifests, options: RunOptions, host: CliHost, telemetry: RunTelemetry) {
    this.#manifests = manifests;
    this.#options = options;
    this.#host = host;
    this.#telemetry = telemetry;
    const { parent } = host;
    const sources = {
      progress: () => this.progress(),
      metrics: () => telemetry.metricsSnapshot(),
      metricsText: () => telemetry.metricsText(),
    };
    this.#member = parent && new GroupMember(parent, sources, host.adapters.clock);
  }

  /** The API first: it says that the process is alive, and not ready, while sources and functions are opened. */
  async start(onFunctionOutput: (line: string) => void): Promise<void> {
    const { adapters, version } = this.#host;
    const { metricsContentType } = this.#telemetry;
    this.#telemetry.watch(() => this.status());
    this.#telemetry.watchDrift(() => this.#control?.drifted() ?? new Map());
    this.#api = await adapters.startApi(this.#options.api, {
      version,
      status: () => this.#statusOfAll(),
      metricsText: () => this.#metricsOfAll(),
      metricsContentType,
      control: () => this.#control,
      log: (level, message, fields) => this.#telemetry.log(level, message, fields),
    });
    this.#tellOwnLimits();
    const { settings, drainMs, endpoints, reach, place, owner, isAdopting, isStrict, otlp } = this.#options;
    this.#tracing = await adapters.openTracing(otlp, this.#telemetry, version);
    const { clock, random, connectors, destinations } = adapters;
    const telemetry = this.#telemetry;
    const invokers = new InvokerBook(clock, telemetry);
    const functionBook = new FunctionBook({
      functions: this.#manifests.functions,
      openFunction: (resource) => adapters.openFunction(resource, onFunctionOutput),
      invokers,
      clock,
      telemetry,
    });
    this.#deployments = new Deployments(functionBook, adapters);
    this.#stores = await this.#openStores(this.#deployments);
    const { progress, mappings: store, cells } = this.#stores;
    const processId = `${hostname()}-${process.pid}-${random.uuid()}`;
    const engine = adapters.createEngine({
      invokers,
      owner: processId,
      clock,
      random,
      telemetry,
      tracing: this.#tracing,
      store: telemetry.observeStore(progress),
      settings,
    });
    this.#engine = engine;
    this.#control = await ControlPlane.start({
      engine,
      processId,
      manifests: this.#manifests,
      deployments: this.#deployments,
      functionBook,
      owner,
      invokers,
      cells,
      store,
      progress,
      connectors,
      destinations,
      endpoints,
      reach,
      place,
      isAdopting,
      isStrict,
      clock,
      random,
      telemetry,
      drainMs,
    });
    const mappings = (await this.#control.mappings.list({})).filter(
      ({ state }) => state !== "Disabled",
    ).length;
    const { url: address, metricsUrl: metricsAddress } = this.#api ?? {};
    const places = { address, metricsAddress };
    this.#telemetry.log("info", "started", { version, mappings, ...places, pid: process.pid });
    this.#member?.started();
    if (mappings === 0) this.#telemetry.log("warn", "no mapping is enabled: there is nothing to do", {});
  }

  #tellOwnLimits(): void {
    const { store } = this.#options;
    if (store.kind !== "memory" || !this.#manifests.functions.some(({ isReserved }) => isReserved)) return;
    const message =
      "reservedConcurrency holds in this process alone: the store memory: is shared with no other process";
    this.#telemetry.log("info", message, {});
  }

  /** One after the other. Before the control plane is there nothing is to be done: it reads what there is then. */
  reload(): void {
    this.#reloading = this.#reloading
      .then(() => this.#reload())
      .catch((error: unknown) => {
        const message = "the manifests could not be applied anew; what was applied goes on";
        this.#telemetry.log("error", message, { error: describeError(error) });
      });
  }

  /** One error changes nothing (I42). */
  async #reload(): Promise<void> {
    const loaded = this.#options.readAgain();
    if (loaded.kind === "invalid") {
      const fields = { error: formatProblems(loaded.problems) };
      this.#telemetry.log("error", "the manifests are not valid: nothing was changed", fields);
      return;
    }
    if (this.#control === undefined) return;
    this.#manifests = loaded.manifests;
    await this.#control.reload(loaded.manifests);
    this.#telemetry.log("info", "manifests read again and applied", {});
  }

  /** @throws MillraceError that also names what else is in the way of the start. */
  async #openStores(deployments: Deployments) {
    const { adapters } = this.#host;
    const { store: url } = this.#options;
    try {
      const progress = await adapters.openStore(url);
      const mappings = await adapters.openResourceStore(url);
      return { progress, mappings, cells: await adapters.openCellStore(url) };
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
    if (result !== "late" && result.comesAgain === 0) {
      const error = await this.#whyStoreIsGone();
      if (error === undefined) {
        this.#telemetry.log("info", "stopped", {});
        return EXIT_OK;
      }
      const told = "stopped, but the store is not there: what it had kept of all mappings is lost with it";
      this.#telemetry.log("error", told, { error });
      return EXIT_FAILED;
    }
    if (result !== "late") {
      const told = "stopped, but the store has not taken all progress: records that were done come again";
      this.#telemetry.log("error", told, { records: result.comesAgain });
      return EXIT_FAILED;
    }
    const message =
      "the engine did not stop in time; what was in flight will be repeated after the next start";
    this.#telemetry.log("error", message, { drainMs });
    return EXIT_FAILED;
  }

  /**
   * A file that was removed takes with it what it had accepted: a stop must not say that all is kept. What another host
   * keeps is kept, whether or not it answers just now.
   */
  async #whyStoreIsGone(): Promise<string | undefined> {
    if (this.#options.store.kind !== "sqlite") return undefined;
    try {
      await this.#stores?.progress.list("");
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }

  /** The engine first: what it runs must not wait for a store that does not answer. */
  async #stopEngine(drainMs: number): Promise<StopReport> {
    const [report] = await Promise.all([this.#engine?.stop(drainMs), this.#control?.stop()]);
    await this.#control?.forget();
    return report ?? { comesAgain: 0 };
  }

  async close(): Promise<void> {
    for (const error of (await this.#deployments?.close()) ?? []) {
      this.#telemetry.log("warn", "something could not be closed", { error });
    }
    for (const store of [this.#stores?.progress, this.#stores?.mappings, this.#stores?.cells]) {
      await store?.close().catch((error: unknown) => {
        const fields = { error: `The store: ${describeError(error)}` };
        this.#telemetry.log("warn", "something could not be closed", fields);
      });
    }
    await this.#tracing?.close();
    await this.#api?.close();
  }
}

function hasFailed({ state }: MappingStatus): boolean {
  return state === "Failed";
}

const CAUGHT_UP_POLL_MS = 50;

/**
 * Resolves once all mappings are caught up; looks no longer when `end` aborts, since its timer would keep the process.
 */
function caughtUp(running: Running, clock: Clock, end: AbortSignal): Promise<"caught up"> {
  return new Promise((resolve) => {
    const look = () => {
      if (end.aborted) return;
      // One that waits for somebody's change would have whoever waits for the end wait for ever.
      if (running.status().every((mapping) => mapping.caughtUp || hasFailed(mapping))) resolve("caught up");
      else clock.schedule(CAUGHT_UP_POLL_MS, look);
    };
    look();
  });
}
