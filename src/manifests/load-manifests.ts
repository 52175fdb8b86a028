import type { Connector } from "../ports/connector.ts";
import type { SpecFault } from "../ports/connector-parameters.ts";
import { eventDestinationKinds } from "./async-destination.ts";
import { checkMappingsDistinct } from "./distinct-mappings.ts";
import { faultText } from "./fault-texts.ts";
import { checkFunction } from "./function-checks.ts";
import { parseFunctionName } from "./function-name.ts";
import { type ManifestDocument, readManifestDocument } from "./manifest-document.ts";
import { readManifestFiles } from "./manifest-files.ts";
import { checkMapping, type MappingContext } from "./mapping-checks.ts";
import { nearestName } from "./nearest-name.ts";
import { firstProblems, formatProblem, type ManifestProblem, sortProblems } from "./problem.ts";
import {
  type FunctionResource,
  functionResource,
  type MappingResource,
  mappingResource,
} from "./resources.ts";
import { checkRoute, checkRoutesDistinct } from "./route-checks.ts";
import { type RouteResource, routeResource } from "./route-resource.ts";
import { checkSchedules, targetsIn } from "./schedule-checks.ts";
import type { RuleResource, ScheduleResource } from "./schedule-resource.ts";
import { type FunctionManifest, type MappingManifest, manifestSchemas, type ResourceKind } from "./schema.ts";
import { writtenMapping } from "./written-mapping.ts";
import { parseYamlDocuments } from "./yaml-documents.ts";

export interface Manifests {
  readonly functions: readonly FunctionResource[];
  readonly mappings: readonly MappingResource[];
  /** Absent: none. */
  readonly routes?: readonly RouteResource[];
  /** Absent: none. */
  readonly schedules?: readonly ScheduleResource[];
  readonly rules?: readonly RuleResource[];
  /** They are not accepted as they are written now: what was declared of them before stays in force. */
  readonly kept?: readonly KeptManifest[];
  /** Nobody named any: nothing is declared, and nothing that was declared before is taken back. */
  readonly isNone?: true;
}

export interface KeptManifest {
  readonly kind: ResourceKind;
  readonly name: string;
}

export type LoadedManifests =
  | {
      readonly kind: "valid";
      readonly manifests: Manifests;
      /** What templates say and manifests do not take over, in reading order. */
      readonly remarks?: readonly ManifestProblem[];
    }
  /** The first problems of each file, in reading order; what follows from another is not among them. */
  | { readonly kind: "invalid"; readonly problems: readonly ManifestProblem[] };

/** Reads and checks manifests from files and folders. Nothing is opened or started beyond that. */
export function loadManifests(paths: readonly string[], context: MappingContext): LoadedManifests {
  const { texts, files, problems } = readManifestFiles(paths);
  const documents: ManifestDocument[] = [];
  const schemas = manifestSchemas(context.connectors);
  const remarks: ManifestProblem[] = [];
  let isWhole = problems.length === 0;
  for (const { file, folder, text } of texts) {
    const template = context.readTemplate?.(text, { file, folder });
    remarks.push(...(template?.remarks ?? []).map((remark) => ({ file, ...remark })));
    const yaml = template ?? parseYamlDocuments(text);
    isWhole &&= yaml.problems.length === 0;
    for (const problem of yaml.problems) problems.push({ file, field: undefined, ...problem });
    for (const document of yaml.documents) {
      const read = readManifestDocument(document, { file, folder }, schemas, problems);
      if (read !== undefined) documents.push(read);
      else isWhole = false;
    }
  }
  checkTogether(documents, context, { isWhole });
  const isEmpty = documents.length === 0 && problems.length === 0;
  if (isEmpty) problems.push(emptyProblem(paths));
  if (problems.length > 0) {
    return {
      kind: "invalid",
      problems: firstProblems(sortProblems(problems, files)),
    };
  }
  return { kind: "valid", manifests: buildResources(documents, context), remarks };
}

export function formatProblems(problems: readonly ManifestProblem[]): string {
  return problems.map(formatProblem).join("\n");
}

interface CheckedTogether {
  /** All of it could be read; what is named and not there may stand in what could not. */
  readonly isWhole: boolean;
  /** Names of functions that are there and were found wrong before. */
  readonly refused?: ReadonlySet<string>;
}

/** Rules between documents, and those within one that its shape alone does not say. */
export function checkTogether(
  documents: readonly ManifestDocument[],
  context: MappingContext,
  { isWhole, refused }: CheckedTogether,
): void {
  const functions = documents.filter(({ kind }) => kind === "Function");
  const mappings = documents.filter(({ kind }) => kind === "EventSourceMapping");
  const routes = documents.filter(({ kind }) => kind === "Route");
  const kinds = eventDestinationKinds(context.connectors, context.destinations);
  for (const document of functions) checkFunction(document, context.targets, kinds);
  for (const document of mappings) checkOne(document, functions, context);
  for (const document of routes) checkRoute(document);
  const timed = documents.filter(({ kind }) => kind === "Schedule" || kind === "Rule");
  if (isWhole) checkFunctionsExist([...mappings, ...routes, ...timed], functions, refused);
  checkNamesUnique(functions);
  checkNamesUnique(mappings);
  checkNamesUnique(routes);
  checkMappingsDistinct(mappings, context);
  checkSchedules(documents);
  checkRoutesDistinct(routes);
}

function checkOne(
  document: ManifestDocument,
  functions: readonly ManifestDocument[],
  context: MappingContext,
): void {
  const faults: SpecFault[] = [];
  const written = writtenMapping(document.raw("spec"), document.folder);
  const connector = checkMapping(written, context, (fault) => faults.push(fault));
  for (const fault of faults) {
    const { message, remedy } = faultText(fault, connector?.parameters.texts);
    document.report(["spec", ...fault.path], message, remedy, fault.part);
  }
  const fn = functionOf(document, functions);
  if (fn !== undefined && connector !== undefined) checkFunctionTimeout(document, fn, connector);
}

/** AWS lets functions that some sources invoke run for less than others (kafka §1). */
function checkFunctionTimeout(
  mapping: ManifestDocument,
  fn: ManifestDocument,
  { parameters: { title, functionTimeoutSecondsMax: secondsMax } }: Connector,
): void {
  const seconds = timeoutSecondsOf(
    fn,
    parseFunctionName(String(mapping.raw("spec", "functionName")))?.qualifier,
  );
  if (typeof seconds !== "number" || secondsMax === undefined || seconds <= secondsMax) return;
  const message = `The function may take ${seconds} seconds; a function that ${title} invokes may take ${secondsMax}`;
  const remedy = `Give the function at ${fn.position} a timeoutSeconds of at most ${secondsMax}`;
  mapping.report(["spec", "functionName"], message, remedy);
}

/** What the version may take that a qualifier means. */
function timeoutSecondsOf(fn: ManifestDocument, qualifier = "$LATEST"): unknown {
  const ofAlias = fn.raw("spec", "aliases", qualifier, "version");
  const version = typeof ofAlias === "string" ? ofAlias : qualifier;
  return fn.raw("spec", "versions", version, "timeoutSeconds") ?? fn.raw("spec", "timeoutSeconds");
}

/** `callers`: mappings and routes. */
function checkFunctionsExist(
  callers: readonly ManifestDocument[],
  functions: readonly ManifestDocument[],
  refused: ReadonlySet<string> = new Set(),
): void {
  const names = functions.flatMap(({ name }) => name ?? []);
  for (const caller of callers) {
    const ofCaller = ["functionName", "enrichment"].flatMap((field) => {
      const [path, text] = [["spec", field], caller.raw("spec", field)];
      return typeof text === "string" ? [{ path, text }] : [];
    });
    for (const { path, text } of [...ofCaller, ...targetsIn(caller)]) {
      const reference = parseFunctionName(text);
      if (reference === undefined) continue;
      const { name: wanted, qualifier } = reference;
      if (names.includes(wanted)) {
        const qualifiers = qualifiersOf(functions.find(({ name }) => name === wanted));
        if (qualifier === undefined || qualifiers === undefined || qualifiers.includes(qualifier)) continue;
        const message = `Function does not exist: ${wanted} has no version or alias ${qualifier}`;
        caller.report(path, message, `Give one of ${qualifiers.join(", ")} behind the colon`);
        continue;
      }
      if (refused.has(wanted)) {
        caller.report(
          path,
          `The function ${wanted} is not accepted`,
          `Correct the Function ${wanted}: it says why`,
        );
        continue;
      }
      const nearest = nearestName(wanted, names);
      const suggestion = nearest === undefined ? "" : `Did you mean ${nearest}? `;
      const remedy = `${suggestion}Add a manifest of kind Function with metadata.name ${wanted}`;
      caller.report(path, "Function does not exist", remedy);
    }
  }
}

function functionOf(
  mapping: ManifestDocument,
  functions: readonly ManifestDocument[],
): ManifestDocument | undefined {
  const text = mapping.raw("spec", "functionName");
  const wanted = typeof text === "string" ? parseFunctionName(text)?.name : undefined;
  return wanted === undefined ? undefined : functions.find(({ name }) => name === wanted);
}

/** `undefined`: the function has no versions and aliases, and a qualifier is only shown. */
function qualifiersOf(fn: ManifestDocument | undefined): readonly string[] | undefined {
  const [versions, aliases] = ["versions", "aliases"].map((member) => fn?.raw("spec", member));
  if (versions === undefined && aliases === undefined) return undefined;
  return ["$LATEST", ...Object.keys(versions ?? {}), ...Object.keys(aliases ?? {})];
}

function checkNamesUnique(documents: readonly ManifestDocument[]): void {
  const first = new Map<string, ManifestDocument>();
  for (const document of documents) {
    if (document.name === undefined) continue;
    const other = first.get(document.name);
    if (other === undefined) {
      first.set(document.name, document);
      continue;
    }
    const message = `There is another ${document.kind} of this name at ${other.position}`;
    document.report(["metadata", "name"], message, "Rename or remove one of them");
  }
}

function emptyProblem(paths: readonly string[]): ManifestProblem {
  return {
    file: paths.join(", "),
    place: undefined,
    field: undefined,
    message: "There is no resource in the manifests",
    remedy: "Add a Function and an EventSourceMapping",
  };
}

/** Documents without faults, as they are run. */
export function buildResources(documents: readonly ManifestDocument[], context: MappingContext): Manifests {
  const kinds = eventDestinationKinds(context.connectors, context.destinations);
  const functions = documents.filter(isFunction).flatMap(({ manifest, folder }) => {
    return functionResource(manifest, folder, kinds) ?? [];
  });
  const mappings = documents.filter(isMapping).flatMap(({ manifest, folder }) => {
    return mappingResource(manifest, folder, context) ?? [];
  });
  const routes = documents.flatMap(({ manifest }) =>
    manifest?.kind === "Route" ? (routeResource(manifest.metadata.name, manifest.spec) ?? []) : [],
  );
  return { functions, mappings, ...(routes.length === 0 ? {} : { routes }), ...timedResources(documents) };
}

/** Schedules and rules, where there are any. */
function timedResources(documents: readonly ManifestDocument[]): Pick<Manifests, "schedules" | "rules"> {
  const schedules: ScheduleResource[] = [];
  const rules: RuleResource[] = [];
  for (const { manifest } of documents) {
    if (manifest?.kind === "Schedule") schedules.push({ name: manifest.metadata.name, spec: manifest.spec });
    if (manifest?.kind === "Rule") rules.push({ name: manifest.metadata.name, spec: manifest.spec });
  }
  return {
    ...(schedules.length === 0 ? {} : { schedules }),
    ...(rules.length === 0 ? {} : { rules }),
  };
}

function isFunction(
  document: ManifestDocument,
): document is ManifestDocument & { readonly manifest: FunctionManifest } {
  return document.manifest?.kind === "Function";
}

function isMapping(
  document: ManifestDocument,
): document is ManifestDocument & { readonly manifest: MappingManifest } {
  return document.manifest?.kind === "EventSourceMapping";
}
