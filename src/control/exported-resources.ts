import { resolve } from "node:path";
import { mappingUuid } from "../manifests/mapping-uuid.ts";
import { routeSpec } from "../manifests/route-schema.ts";
import { ruleSpec, scheduleSpec } from "../manifests/schedule-schema.ts";
import { manifestSchemas } from "../manifests/schema.ts";
import type { FieldSchema } from "../model/field-schema.ts";
import type { Connector } from "../ports/connector.ts";
import type { ResourceRow } from "../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument, readDocument } from "../resources/document.ts";
import {
  ALIAS_KIND,
  FUNCTION_KIND,
  INVOKE_CONFIG_KIND,
  MAPPING_KIND,
  ROUTE_KIND,
  RULE_KIND,
  SCHEDULE_KIND,
  VERSION_KIND,
} from "../resources/kinds.ts";
import { effectiveSpec, versionSpecOf } from "./function-rows.ts";
import { mappingDocument } from "./mapping-record.ts";

/** A resource that runs, as the manifest that declares it. */
export interface ExportedResource {
  readonly kind: "Function" | "EventSourceMapping" | "Route" | "Schedule" | "Rule";
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

type Spec = Readonly<Record<string, unknown>>;

/** What a function's field says that is left out. */
const FUNCTION_DEFAULTS: Spec = {
  adaptiveConcurrency: false,
  credentials: "none",
  environment: {},
  ephemeralStorageMb: 512,
  inheritEnvironment: [],
  isolation: "group",
  layers: [],
  memoryMb: 512,
  timeoutSeconds: 3,
};

/**
 * All that rows say as manifests, in the order of names, functions first: what is in force, whoever set it. Orphans and
 * what is being deleted do not run, and have no part in it. Places are absolute.
 */
export function exportedResources(
  rows: readonly ResourceRow[],
  connectors: readonly Connector[],
): readonly ExportedResource[] {
  const functions = rows
    .filter(({ kind }) => kind === FUNCTION_KIND)
    .flatMap((row) => exportedFunction(row, rows) ?? []);
  const mappings = rows
    .filter(({ kind }) => kind === MAPPING_KIND)
    .flatMap((row) => exportedMapping(row, connectors) ?? []);
  const routes = rows.filter(({ kind }) => kind === ROUTE_KIND).flatMap((row) => exportedRoute(row) ?? []);
  const schedules = rows
    .filter(({ kind }) => kind === SCHEDULE_KIND)
    .flatMap((row) => exportedTimed("Schedule", row, SCHEDULE_DEFAULTS) ?? []);
  const rules = rows
    .filter(({ kind }) => kind === RULE_KIND)
    .flatMap((row) => exportedTimed("Rule", row, RULE_DEFAULTS) ?? []);
  return [functions, mappings, routes, schedules, rules].flatMap((each) => each.toSorted(byName));
}

const TARGET = { arn: "any" };
const SCHEDULE_DEFAULTS: Spec = {
  ...scheduleSpec.safeParse({ scheduleExpression: "any", target: TARGET }).data,
};
const RULE_DEFAULTS: Spec = { ...ruleSpec.safeParse({}).data };

/** Rows are named by their group or bus, too, which the `spec` says. */
function exportedTimed(
  kind: "Schedule" | "Rule",
  row: ResourceRow,
  defaults: Spec,
): ExportedResource | undefined {
  const read = runningDocument(readDocument(row.document));
  if (read === undefined) return undefined;
  const name = row.name.slice(row.name.indexOf("/") + 1);
  return { kind, name, spec: withoutDefaults(effectiveSpec(read), defaults) };
}

function exportedRoute({ name, document }: ResourceRow): ExportedResource | undefined {
  const read = runningDocument(readDocument(document));
  if (read === undefined) return undefined;
  const spec = effectiveSpec(read);
  const { functionName: _own, ...defaults }: Spec = {
    ...routeSpec.safeParse({ functionName: spec["functionName"] }).data,
  };
  return { kind: "Route", name, spec: withoutDefaults(spec, defaults) };
}

function exportedFunction(row: ResourceRow, rows: readonly ResourceRow[]): ExportedResource | undefined {
  const document = runningDocument(readDocument(row.document));
  if (document === undefined) return undefined;
  const qualified = (kind: string, specOf = effectiveSpec) =>
    rows.flatMap((each): [string, Spec][] => {
      const own = each.kind === kind && each.name.startsWith(`${row.name}:`);
      const read = own ? runningDocument(readDocument(each.document)) : undefined;
      return read === undefined ? [] : [[each.name.slice(row.name.length + 1), specOf(read)]];
    });
  const aliases = qualified(ALIAS_KIND).map(([name, alias]): [string, Spec] => [name, asDeclared(alias)]);
  // What is published is made of the function itself.
  const isPublished = aliases.some(([, { publish }]) => publish === true);
  const versions = isPublished ? [] : qualified(VERSION_KIND, versionSpecOf);
  const configs = new Map(qualified(INVOKE_CONFIG_KIND));
  const configOf = (qualifier: string): Spec => {
    const config = configs.get(qualifier);
    return config === undefined ? {} : { eventInvokeConfig: config };
  };
  // A version that says nothing of it has the function's.
  const { timeoutSeconds: _function, ...versionDefaults } = FUNCTION_DEFAULTS;
  const spec = {
    ...withoutDefaults(effectiveSpec(document), FUNCTION_DEFAULTS),
    ...members(
      "versions",
      versions.map(([number, version]) => [number, withoutDefaults(version, versionDefaults)]),
    ),
    ...members(
      "aliases",
      aliases.map(([name, alias]) => [name, { ...alias, ...configOf(name) }]),
    ),
    ...configOf("$LATEST"),
  };
  return { kind: "Function", name: row.name, spec };
}

function asDeclared({ version, ...alias }: Spec): Spec {
  return alias["publish"] === true ? alias : { version, ...alias };
}

function members(name: string, entries: readonly (readonly [string, Spec])[]): Spec {
  return entries.length === 0 ? {} : { [name]: Object.fromEntries(entries) };
}

function withoutDefaults(spec: Spec, defaults: Spec): Spec {
  const isDefault = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) === JSON.stringify(defaults[name]);
  return Object.fromEntries(Object.entries(spec).filter((entry) => !isDefault(entry)));
}

function exportedMapping(row: ResourceRow, connectors: readonly Connector[]): ExportedResource | undefined {
  const document = runningDocument(mappingDocument(row.document));
  if (document === undefined) return undefined;
  const name = document.name ?? row.name;
  const { enabled, tags, ...fields } = effectiveSpec(document);
  const schema = manifestSchemas(connectors).json("EventSourceMapping").properties?.["spec"];
  const spec = {
    ...withWholePlaces(fields, schema, document.folder),
    ...(enabled === false ? { enabled } : {}),
    ...(isEmptyMap(tags) ? {} : { tags }),
    // Without it the name alone would give another one, and progress would begin anew.
    ...(mappingUuid(name) === row.uid ? {} : { uuid: row.uid }),
  };
  return { kind: "EventSourceMapping", name, spec };
}

function runningDocument(document: ResourceDocument | undefined): ResourceDocument | undefined {
  return document === undefined || isOrphaned(document) || document.transition === "Deleting"
    ? undefined
    : document;
}

/** Files of secrets are named from the folder of the manifest, which this one is not in. */
function withWholePlaces(value: Spec, schema: FieldSchema | undefined, folder: string | undefined): Spec {
  const whole = (inner: unknown, node: FieldSchema | undefined): unknown => {
    if (Array.isArray(inner)) return inner.map((item) => whole(item, node?.items));
    if (typeof inner === "object" && inner !== null)
      return Object.fromEntries(
        Object.entries(inner).map(([name, member]) => [name, whole(member, node?.properties?.[name])]),
      );
    const isFile =
      node?.["x-millrace-secret"] === true && typeof inner === "string" && inner.startsWith("file:");
    return isFile && folder !== undefined ? `file:${resolve(folder, inner.slice("file:".length))}` : inner;
  };
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, whole(member, schema?.properties?.[name])]),
  );
}

function isEmptyMap(value: unknown): boolean {
  return (
    value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0)
  );
}

function byName(a: ExportedResource, b: ExportedResource): number {
  return a.name < b.name ? -1 : 1;
}
