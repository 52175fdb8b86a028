import { type Extensions, loadExtensions } from "../connectors/registry.ts";
import { serveApi } from "./api/serve-api.ts";
import { chooseReadPath } from "./aws/read-path.ts";
import type {
  Adapters,
  ApiContent,
  ApiPlace,
  FunctionHost,
  RunningApi,
  RunTelemetry,
  RunTracing,
} from "./cli/adapters.ts";
import { runCli } from "./cli/cli.ts";
import { type CliHost, EXIT_BAD_INPUT, type ExitStatus } from "./cli/command.ts";
import type { FromMember, ToMember } from "./cli/processes/group-messages.ts";
import type { StopSignal } from "./cli/stop-signal.ts";
import { createFileDestination } from "./destinations/file.ts";
import { createFileFailureReader } from "./destinations/file-reader.ts";
import { createEngine } from "./engine/create-engine.ts";
import { serveFront } from "./front/serve-front.ts";
import { openCustomFunction } from "./functions/custom.ts";
import { createHttpFunction } from "./functions/http.ts";
import { HttpEndpoints } from "./functions/http-endpoints.ts";
import { serveProducers } from "./ingest/serve-producers.ts";
import { createSnsPush } from "./ingest/sns/create-sns-push.ts";
import type { DestinationAddress } from "./manifests/destination-address.ts";
import type { FunctionResource } from "./manifests/resources.ts";
import { describeError } from "./model/errors.ts";
import { openCode } from "./packages/open-code.ts";
import { openPackages } from "./packages/open-packages.ts";
import type { Destination } from "./ports/destination.ts";
import type { FailureReader } from "./ports/failure-reader.ts";
import type { FunctionTarget } from "./ports/function-target.ts";
import type { FunctionTargetKind } from "./ports/function-target-kind.ts";
import * as stores from "./stores/open-store.ts";
import { createSystemClock } from "./system/clock.ts";
import { createFolderWatch } from "./system/folder-watch.ts";
import { type ParentLink, parentLink, startProcess } from "./system/member-process.ts";
import { readVersion } from "./system/package-version.ts";
import { guardProcess, onFatal } from "./system/process-guard.ts";
import { createSystemRandom } from "./system/random.ts";
import { standardError } from "./system/standard-error.ts";
import { STOP_SIGNALS, takeStopSignals } from "./system/stop-signals.ts";
import { createJsonLog } from "./telemetry/json-log.ts";
import { createMetricsMerger } from "./telemetry/metrics-merger.ts";
import { readOtlpSettings } from "./telemetry/otlp/otlp-settings.ts";
import { createPrometheusAlarms } from "./telemetry/prometheus-alarms.ts";
import { createTelemetry } from "./telemetry/telemetry.ts";

const systemPorts = { clock: createSystemClock(), random: createSystemRandom() };

/** The composition root: the only place that constructs adapters. */
const adapters: Omit<Adapters, keyof Extensions | "openFunction"> = {
  ...systemPorts,
  createEngine,
  chooseAwsReadPath: chooseReadPath,
  ...stores,
  openDestination,
  openHttpDestination: async (url) => (await import("./destinations/http.ts")).createHttpDestination(url),
  openFailureReader,
  openPackages,
  createTelemetry: (log, logLevel) =>
    createTelemetry({
      log,
      logLevel,
      processMetrics: true,
      version: readVersion(),
      droppedLines: () => standardError().dropped,
    }),
  watchFolders: createFolderWatch,
  createJsonLog: (level) => createJsonLog(level, standardError()),
  openTracing,
  startProcess,
  createMetricsMerger,
  openAlarmQuery: (url, { log }) =>
    url === undefined ? undefined : createPrometheusAlarms({ url, log, clock: systemPorts.clock }),
  attach: async (places) =>
    (await import("./functions/attach/attach.ts")).attach({ ...places, clock: systemPorts.clock }),
  startApi,
  startController: async (place, parts) =>
    (await import("./kubernetes/start-controller.ts")).startController(place, process.env, {
      ...parts,
      ...systemPorts,
    }),
  startScaler: async (places, parts) =>
    (await import("./kubernetes/scaler/start-scaler.ts")).startScaler(places, {
      ...parts,
      clock: systemPorts.clock,
    }),
  startFront: (place, content) => serveFront(place, content, { ...systemPorts, environment: process.env }),
};

async function startApi(place: ApiPlace, content: ApiContent): Promise<RunningApi | undefined> {
  const ports = { ...systemPorts, environment: process.env };
  const signedPush = await createSnsPush(place.sns, content.log, ports);
  const api = await serveApi(place, { ...content, signedPush }, ports);
  try {
    const producers = await serveProducers({ ...place, ...content }, ports);
    if (api === undefined && producers === undefined) return undefined;
    const close = async () => void (await Promise.all([api?.close(), producers?.close()]));
    return { url: api?.url, metricsUrl: api?.metricsUrl, sourcesUrl: producers?.url, close };
  } catch (error) {
    await api?.close();
    throw error;
  }
}

/** Loaded only when it is used: most runs trace nothing. */
async function openTracing(
  endpoint: string | undefined,
  telemetry: RunTelemetry,
  version: string,
): Promise<RunTracing | undefined> {
  const settings = readOtlpSettings(endpoint, process.env);
  if (settings === undefined) return undefined;
  for (const remark of settings.remarks) telemetry.log("warn", remark, {});
  const { createOtlpExporter } = await import("./telemetry/otlp/otlp-exporter.ts");
  const { clock, random } = adapters;
  return createOtlpExporter({ settings, version, clock, random, telemetry, counts: telemetry.spans });
}

async function openFunction(
  kinds: readonly FunctionTargetKind[],
  resource: FunctionResource,
  { log, watchOf, onImport, packages, region }: FunctionHost,
): Promise<FunctionTarget> {
  const { clock } = adapters;
  const { name, target, errorDetails, version = "$LATEST" } = resource;
  // A function that nothing may run of is opened all the same: so it is there at once when it may.
  const concurrency = Math.max(1, resource.concurrency);
  switch (target.kind) {
    case "custom":
      return await openCustomFunction(target, { name, concurrency }, kinds);
    case "http":
      if (target.endpoints !== undefined)
        return new HttpEndpoints({ url: target.url, ...target.endpoints, clock });
      return createHttpFunction({ url: target.url, connections: concurrency, clock });
    case "lambda": {
      const { kind: _kind, ...given } = target;
      const { createLambdaFunction } = await import("./functions/lambda.ts");
      return createLambdaFunction({ ...given, connections: concurrency, clock });
    }
    case "module": {
      const { kind: _kind, ...given } = target;
      const { openModule } = await import("./functions/runtime/open-module.ts");
      const own = { functionName: name, version, region, concurrency, errorDetails };
      return await openModule({ ...given, ...own, log, watch: watchOf?.(name), onImport, clock });
    }
    case "runtime": {
      const { openRuntimeFunction } = await import("./functions/runtime/open-runtime-function.ts");
      const { kind: _kind, ...given } = target;
      const environmentsMin = resource.provisioned?.get(version);
      const own = { functionName: name, version, region, concurrency, environmentsMin };
      const told = { log, watch: watchOf?.(name) };
      return await openRuntimeFunction(
        { ...given, ...own, ...told, clock },
        packages && ((places) => openCode(packages, places)),
      );
    }
  }
}

async function openDestination(
  address: Exclude<DestinationAddress, { readonly kind: "source" | "brought" }>,
): Promise<Destination> {
  switch (address.kind) {
    case "file":
      return createFileDestination(address.path);
    case "sqs":
      return (await import("./destinations/sqs.ts")).createSqsDestination(address);
    case "sns":
      return (await import("./destinations/sns.ts")).createSnsDestination(address);
    case "s3":
      return (await import("./destinations/s3.ts")).createS3Destination(address);
  }
}

async function openFailureReader(
  address: Exclude<DestinationAddress, { readonly kind: "source" | "brought" }>,
): Promise<FailureReader | undefined> {
  switch (address.kind) {
    case "file":
      return createFileFailureReader(address.path);
    case "s3":
      return (await import("./destinations/s3-reader.ts")).createS3FailureReader(address);
    case "sqs":
    case "sns":
      return undefined;
  }
}

/** Long enough for output to flow; a forgotten timer or socket must not keep an ended command alive. */
const EXIT_GRACE_MS = 2000;

/** A module of the operator's own is missing: without it manifests would be refused. */
function endOnBadModule(error: unknown): never {
  process.stderr.write(`millrace: ${describeError(error)}\n`);
  process.exit(EXIT_BAD_INPUT);
}

/** Runs the command line `words`, without the program's own name, as this process; one after the other, if several. */
export async function main(words: readonly string[]): Promise<ExitStatus> {
  guardProcess();
  const brought = await loadExtensions(process.env).catch(endOnBadModule);
  const undo: (() => void)[] = [];
  const parent = parentLink<ToMember, FromMember>();
  const host: CliHost = {
    version: readVersion(),
    stdout: process.stdout,
    stderr: standardError(),
    // Not before it is wanted: to look at it opens it.
    get stdin() {
      return process.stdin;
    },
    adapters: {
      ...adapters,
      ...brought,
      openFunction: (...given) => openFunction(brought.targets, ...given),
    },
    words,
    parent,
    environment: process.env,
    onStopSignal: (listener) => {
      if (parent !== undefined) listenToParent(parent, listener);
      // A terminal sends some to all processes, and the parent says so once more.
      const heard = (signal: StopSignal) => {
        if (parent === undefined || signal === "SIGTERM") listener(signal);
      };
      for (const signal of STOP_SIGNALS) process.on(signal, heard);
      for (const signal of takeStopSignals()) heard(signal);
      undo.push(() => {
        for (const signal of STOP_SIGNALS) process.off(signal, heard);
      });
    },
    exitNow: (status) => process.exit(status),
    onFatal: (listener) => void undo.push(onFatal(listener)),
  };
  const status = await runCli(words, host);
  for (const step of undo) step();
  parent?.close();
  return status;
}

function listenToParent(
  parent: ParentLink<ToMember, FromMember>,
  onStop: (signal: StopSignal) => void,
): void {
  let isStopping = false;
  // Once: the parent says it again to who was too busy with its start to hear it.
  const stop = (signal: StopSignal) => {
    if (isStopping) return;
    isStopping = true;
    onStop(signal);
  };
  parent.onMessage((message) => {
    // A member has no terminal of its own: a hang-up would have it read manifests, and not stop.
    if (message.kind === "stop") stop(message.signal === "SIGHUP" ? "SIGTERM" : message.signal);
    if (message.kind === "reload") onStop("SIGHUP");
  });
  // Without a parent nobody would start it again, nor stop it.
  parent.onGone(() => stop("SIGTERM"));
}

/** Ends the process once output has flowed. */
export function endWith(status: ExitStatus): void {
  process.exitCode = status;
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
}
