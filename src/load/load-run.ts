import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ManifestProblem } from "../manifests/problem.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { MillraceError } from "../model/errors.ts";
import type { Connector } from "../ports/connector.ts";
import type { NewSource, RecordSender } from "../ports/record-sender.ts";
import { EngineProcess } from "./engine-process.ts";
import { FunctionFate } from "./function-fate.ts";
import { FunctionServer } from "./function-server.ts";
import { FunctionLatency } from "./latency-profile.ts";
import { Ledger } from "./ledger.ts";
import { type LoadEngine, NO_ENGINE } from "./load-engine.ts";
import { type LoadManifest, writeLoadManifest } from "./load-manifest.ts";
import { LoadMeasurement, type LoadProgress } from "./load-measurement.ts";
import type { LoadResult } from "./load-result.ts";
import type { ScenarioFile } from "./load-scenario.ts";
import { LoadSeries } from "./load-series.ts";
import { OwnFunction } from "./own-function.ts";
import { PageTeller, type TellerPlace } from "./page-teller.ts";
import type { EngineSettings, ScenarioSpec } from "./scenario-schema.ts";

export interface LoadRunOptions {
  readonly scenario: ScenarioFile;
  readonly connectors: readonly Connector[];
  /** For what the test leaves behind: `engine.log`; absolute. */
  readonly folder: string;
  /** For what it needs while it runs, and what nobody wants afterwards; absolute. */
  readonly workFolder: string;
  readonly version: string;
  readonly onProgress: (progress: LoadProgress) => void;
  /** A process that runs anyway, whose page shows the test too. */
  readonly shownAt?: TellerPlace | undefined;
  /** Ends the test early: what was sent is still waited for. */
  readonly signal: AbortSignal;
}

export type FinishedLoad =
  | { readonly kind: "done"; readonly result: LoadResult }
  /** The scenario's mapping is not valid: nothing was started. */
  | { readonly kind: "invalid"; readonly problems: readonly ManifestProblem[] };

type ValidManifest = Extract<LoadManifest, { readonly kind: "valid" }>;

/**
 * Runs a load test: sends records to the source by the scenario's course, runs the engine as a process of its own, is
 * its function, and judges what the function saw.
 * @throws MillraceError when the test cannot be started; what goes wrong later is part of the result.
 */
export async function runLoad(options: LoadRunOptions): Promise<FinishedLoad> {
  const open: (() => Promise<void>)[] = [];
  try {
    const server = new FunctionServer();
    const functionUrl = await server.start(options.scenario.scenario.spec.function.listen);
    open.push(() => server.close());
    const { scenario, connectors, workFolder } = options;
    const manifest = writeLoadManifest({
      scenario,
      connectors,
      folder: workFolder,
      functionUrl,
      nowMs: Date.now(),
    });
    if (manifest.kind === "invalid") return manifest;
    return { kind: "done", result: await runOn(options, server, manifest, open) };
  } finally {
    for (const close of open.reverse()) await close();
  }
}

async function runOn(
  options: LoadRunOptions,
  server: FunctionServer,
  { path, resource, discardedFile }: ValidManifest,
  open: (() => Promise<void>)[],
): Promise<LoadResult> {
  const { spec } = options.scenario.scenario;
  // Short, since every record carries it.
  const run = randomUUID().slice(0, 8);
  const ledger = new Ledger({ run, isOrdered: spec.ordered ?? isOrdered(resource) });
  const { url, concurrency, timeoutSeconds } = spec.function;
  const own = url === undefined ? undefined : new OwnFunction(url, concurrency);
  if (own !== undefined) open.push(() => own.close());
  const series = new LoadSeries(spec.rate, ledger);
  server.serve({
    ledger,
    latency: new FunctionLatency(spec.function.latency, spec.seed),
    fate: new FunctionFate(spec.function.errors, spec.seed),
    timeoutMs: timeoutSeconds * 1000,
    own,
    isItemFailureReported: isItemFailureReported(spec),
    isAnyForm: spec.engine === "none",
    now: () => performance.now(),
    onFresh: (records, nowMs) => series.fresh(records, nowMs),
    onOutcome: (fate) => series.outcome(fate),
  });
  const sender = await openSender(resource, spec);
  open.push(() => sender.close());
  const measurement = new LoadMeasurement();
  const onUnexpectedEnd = (reason: string) => measurement.fail(`the engine's process ended ${reason}`);
  const engine =
    spec.engine === "none" ? NO_ENGINE : engineOf(spec.engine, { path, options, onUnexpectedEnd });
  open.push(() => engine.close());
  await engine.start();
  const { scenario, version, signal } = options;
  const teller = openTeller(options, engine);
  const onProgress = (progress: LoadProgress) => {
    options.onProgress(progress);
    teller.tell(progress);
  };
  const result = await measurement.run({
    ...{ scenario, version, onProgress, signal },
    ...{ run, ledger, series, server, sender, engine, discardedFile },
  });
  await teller.end(result.passed);
  return result;
}

/** The engine's own page shows the test; its address is told, since it is another one each time. */
function openTeller({ scenario, onProgress, shownAt }: LoadRunOptions, engine: LoadEngine): PageTeller {
  const own = engine.address();
  if (own !== undefined) onProgress({ kind: "event", atMs: 0, text: `the page shows it: ${own}/` });
  return new PageTeller(scenario.scenario.metadata.name, () => {
    const url = engine.address();
    return [
      ...(url === undefined ? [] : [{ url, token: undefined }]),
      ...(shownAt === undefined ? [] : [shownAt]),
    ];
  });
}

function engineOf(
  { checkpointIntervalMs, store }: EngineSettings,
  {
    path,
    options: { workFolder, folder },
    onUnexpectedEnd,
  }: {
    readonly path: string;
    readonly options: LoadRunOptions;
    readonly onUnexpectedEnd: (reason: string) => void;
  },
): LoadEngine {
  const kept = store ?? `sqlite:${join(workFolder, "progress.db")}`;
  return new EngineProcess({
    args: ["-f", path, "--store", kept, "--checkpoint-interval-ms", String(checkpointIntervalMs)],
    folder: workFolder,
    logFile: join(folder, "engine.log"),
    onUnexpectedEnd,
  });
}

/** Else an answer that names failures is a success like any other. */
function isItemFailureReported({ mapping }: ScenarioSpec): boolean {
  const types = mapping["functionResponseTypes"];
  return Array.isArray(types) && types.includes("ReportBatchItemFailures");
}

/** Standard queues promise no order. */
function isOrdered({ kind, connector, mapping }: MappingResource): boolean {
  return kind !== "queue" || connector.isFifoQueue(mapping.eventSourceArn);
}

async function openSender(resource: MappingResource, { source }: ScenarioSpec): Promise<RecordSender> {
  const { shards, retentionSeconds, visibilitySeconds } = source;
  const made: NewSource = {
    shards,
    retentionMs: retentionSeconds * 1000,
    visibilityMs: visibilitySeconds * 1000,
  };
  const sender = await openSenderOf(resource, made);
  if (sender !== undefined) return sender;
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The connector ${resource.connector.kind} only reads: a load test cannot put records into its sources.`,
  );
}

function openSenderOf(resource: MappingResource, source: NewSource): Promise<RecordSender> | undefined {
  switch (resource.kind) {
    case "stream":
      return resource.connector.openSender?.(resource.mapping, resource.settings, source);
    case "queue":
      return resource.connector.openSender?.(resource.mapping, resource.settings, source);
  }
}
