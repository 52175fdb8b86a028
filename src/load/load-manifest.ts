import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { loadManifests, type Manifests } from "../manifests/load-manifests.ts";
import { connectorOf } from "../manifests/mapping-source.ts";
import type { ManifestProblem } from "../manifests/problem.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { API_VERSION } from "../manifests/schema.ts";
import { DEFAULT_PLACE } from "../model/place.ts";
import type { Connector } from "../ports/connector.ts";
import type { ScenarioFile } from "./load-scenario.ts";
import type { ScenarioSpec } from "./scenario-schema.ts";

export interface LoadManifestOptions {
  readonly scenario: ScenarioFile;
  readonly connectors: readonly Connector[];
  /** Where the manifest, the local source and the failure destination's file go; absolute. */
  readonly folder: string;
  readonly functionUrl: string;
  readonly nowMs: number;
}

export type LoadManifest =
  | {
      readonly kind: "valid";
      readonly path: string;
      readonly resource: MappingResource;
      /** The failure destination's file; `undefined` where the mapping has another, or none. */
      readonly discardedFile: string | undefined;
    }
  | { readonly kind: "invalid"; readonly problems: readonly ManifestProblem[] };

const NAME = "load";
const LOCAL_ARN = "arn:aws:local:local-1:000000000000:";
const LOCAL_NAMES = { stream: "stream/load", queue: "queue/load", fifo: "queue/load.fifo" } as const;
const SUFFIX = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
const MODULE = fileURLToPath(new URL(`./function-module${SUFFIX}`, import.meta.url));

/** Writes the manifest that the engine runs: the scenario's mapping, and the harness as its function. */
export function writeLoadManifest(options: LoadManifestOptions): LoadManifest {
  const { scenario, connectors, folder, nowMs } = options;
  const path = join(folder, "manifest.yaml");
  const discardedFile = join(folder, "discarded.jsonl");
  const mapping = mappingSpec(options, discardedFile);
  const documents = [
    { apiVersion: API_VERSION, kind: "Function", metadata: { name: NAME }, spec: functionSpec(options) },
    { apiVersion: API_VERSION, kind: "EventSourceMapping", metadata: { name: NAME }, spec: mapping },
  ];
  // JSON is YAML.
  writeFileSync(path, documents.map((document) => JSON.stringify(document, undefined, 2)).join("\n---\n"));
  const loaded = loadManifests([path], { connectors, nowMs, place: DEFAULT_PLACE });
  if (loaded.kind === "invalid") {
    return {
      kind: "invalid",
      problems: loaded.problems.map((problem) => asScenarioProblem(problem, scenario)),
    };
  }
  const resource = onlyMapping(loaded.manifests);
  const destination = resource.kind === "queue" ? undefined : resource.mapping.onFailureDestination;
  const isOurs = destination === `file:${discardedFile}`;
  return { kind: "valid", path, resource, discardedFile: isOurs ? discardedFile : undefined };
}

function functionSpec({ scenario, functionUrl }: LoadManifestOptions): object {
  const { kind, timeoutSeconds, concurrency } = scenario.scenario.spec.function;
  const bounds = { timeoutSeconds, reservedConcurrency: concurrency };
  if (kind === "http") return { http: { url: functionUrl }, ...bounds };
  const environment = { LOAD_FUNCTION_URL: functionUrl };
  // What is measured is the engine, not how a function is kept apart.
  return { module: { path: MODULE, isolation: "thread", environment }, ...bounds };
}

function mappingSpec(
  { scenario, connectors, folder }: LoadManifestOptions,
  discardedFile: string,
): Record<string, unknown> {
  const { spec } = scenario.scenario;
  const given = absolutePaths(spec.mapping, scenario.folder);
  const source = sourceOf(spec, given, folder);
  const offers = connectorOf(
    {
      eventSourceArn: source["eventSourceArn"],
      selfManagedEventSource: source["selfManagedEventSource"],
      endpoints: source["endpoints"],
    },
    connectors,
  )?.offers;
  const isLocal = given["eventSourceArn"] === undefined && given["selfManagedEventSource"] === undefined;
  const ofStreams = {
    // A source that exists may hold records from before.
    startingPosition: isLocal ? "TRIM_HORIZON" : "LATEST",
    destinationConfig: { onFailure: { destination: `file:${discardedFile}` } },
  };
  return {
    functionName: NAME,
    // A checkpoint or consumer group of an earlier run must not be gone on with.
    uuid: randomUUID(),
    ...(spec.function.errors.partialPercent > 0
      ? { functionResponseTypes: ["ReportBatchItemFailures"] }
      : {}),
    ...(offers === "queue" ? {} : ofStreams),
    ...source,
    ...given,
  };
}

function sourceOf(
  { source }: ScenarioSpec,
  given: Readonly<Record<string, unknown>>,
  folder: string,
): Record<string, unknown> {
  if (given["eventSourceArn"] !== undefined || given["selfManagedEventSource"] !== undefined)
    return { ...given };
  return {
    eventSourceArn: LOCAL_ARN + LOCAL_NAMES[source.kind],
    endpoints: { LOCAL_FILE: [join(folder, "source.db")] },
  };
}

/** The manifest stands in another folder than the scenario. */
function absolutePaths(mapping: Readonly<Record<string, unknown>>, folder: string): Record<string, unknown> {
  const inFiles = (name: string, value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((one) => inFiles(name, one));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inFiles(key, one)]));
    }
    if (typeof value !== "string") return value;
    if (name.endsWith("_FILE")) return resolve(folder, value);
    const isUri = (name === "uri" || name === "destination") && value.startsWith("file:");
    return isUri ? `file:${resolve(folder, value.slice("file:".length))}` : value;
  };
  return Object.fromEntries(Object.entries(mapping).map(([name, value]) => [name, inFiles(name, value)]));
}

/** A problem of the manifest is one of the scenario's mapping, as the person wrote it. */
function asScenarioProblem(
  { field, message, remedy }: ManifestProblem,
  scenario: ScenarioFile,
): ManifestProblem {
  const path = /, spec\.?(.*)$/.exec(field ?? "")?.[1] ?? "";
  const steps = path === "" ? [] : path.split(/[.[\]]+/).filter((step) => step !== "");
  const place = ["spec", "mapping", ...steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step))];
  return scenario.problem(place, message, remedy);
}

function onlyMapping({ mappings }: Manifests): MappingResource {
  const [resource] = mappings;
  if (resource === undefined) throw new Error("the manifest of a load test has no mapping");
  return resource;
}
