import { z } from "zod";
import { invokeConfigSpec } from "../manifests/async-schema.ts";
import { invokeConfigFields, invokeConfigOf } from "../manifests/async-settings.ts";
import { functionSpec } from "../manifests/function-schema.ts";
import type { FunctionScaling, FunctionTargetSpec } from "../manifests/function-target-spec.ts";
import { type FunctionResource, functionResource } from "../manifests/resources.ts";
import { API_VERSION } from "../manifests/schema.ts";
import type { InvokeConfig } from "../model/invoke-config.ts";
import type { ResourceRow } from "../ports/resource-store.ts";
import { aliasInForce } from "../resources/alias-in-force.ts";
import { isOrphaned, type ResourceDocument, readDocument } from "../resources/document.ts";
import {
  ALIAS_KIND,
  DECLARED_KINDS,
  FUNCTION_KIND,
  INVOKE_CONFIG_KIND,
  PROVISIONED_KIND,
  VERSION_KIND,
} from "../resources/kinds.ts";
import { membersOf } from "./functions/function-fields.ts";

/** A resource as its owner wants it: lower-camel fields of a manifest's `spec`. */
export interface Declaration {
  readonly kind: string;
  readonly name: string;
  /** What people call it, where its name is another. */
  readonly title?: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Texts that no other row may have. */
  readonly claims?: readonly string[];
  /** Absolute; what relative paths in `spec` start from. */
  readonly folder?: string;
}

/**
 * The rows that a function is: itself, its versions and its aliases. In the order of writing: whoever reads in between
 * sees no alias of a version that is not there. Paths in them are absolute.
 */
export function declarationsOf(fn: FunctionResource): readonly Declaration[] {
  const { name, timeoutMs, isConcurrencyAdaptive, isReserved, concurrency, errorDetails } = fn;
  const spec = {
    ...targetFields(fn.target),
    timeoutSeconds: timeoutMs / 1000,
    ...(isReserved ? { reservedConcurrency: concurrency } : {}),
    adaptiveConcurrency: isConcurrencyAdaptive,
    // Left out where it is the default: processes of an older version read the row, too.
    ...(errorDetails === "full" ? {} : { errorDetails }),
    ...deadLetterField(fn, "$LATEST"),
    ...(fn.allowsLoops === true ? { recursiveLoop: "Allow" } : {}),
  };
  return [
    ...[...fn.versions].map(([number, target]) => ({
      kind: VERSION_KIND,
      name: `${name}:${number}`,
      spec: { ...targetFields(target), ...deadLetterField(fn, number), ...timeoutField(fn, number) },
    })),
    { kind: FUNCTION_KIND, name, spec },
    ...[...fn.aliases].map(([alias, { version, weights, routing, rollout, publish }]) => ({
      kind: ALIAS_KIND,
      name: `${name}:${alias}`,
      spec: {
        ...(publish === true ? { publish } : { version }),
        ...(weights.size === 0 ? {} : { weights: Object.fromEntries(weights) }),
        ...(routing === undefined ? {} : { routing }),
        ...(rollout === undefined ? {} : { rollout }),
      },
    })),
    ...[...(fn.invokeConfigs ?? [])].map(([qualifier, config]) => ({
      kind: INVOKE_CONFIG_KIND,
      name: `${name}:${qualifier}`,
      spec: invokeConfigFields(config),
    })),
  ];
}

function deadLetterField({ deadLetters }: FunctionResource, version: string) {
  const targetArn = deadLetters?.get(version);
  return targetArn === undefined ? {} : { deadLetterConfig: { targetArn } };
}

function timeoutField({ versionTimeoutsMs }: FunctionResource, version: string) {
  const timeoutMs = versionTimeoutsMs?.get(version);
  return timeoutMs === undefined ? {} : { timeoutSeconds: timeoutMs / 1000 };
}

function targetFields(target: FunctionTargetSpec): Readonly<Record<string, unknown>> {
  switch (target.kind) {
    case "custom":
      return { custom: { kind: target.by, settings: target.settings } };
    case "http":
      return {
        http: {
          url: target.url,
          ...(target.endpoints === undefined ? {} : { endpoints: target.endpoints }),
        },
      };
    case "lambda": {
      const { functionName, region, endpoint } = target;
      const place = {
        ...(region === undefined ? {} : { region }),
        ...(endpoint === undefined ? {} : { endpoint }),
      };
      return { lambda: { functionName, ...place } };
    }
    case "module": {
      const { kind: _kind, exportName, ...module } = target;
      return { module: { ...module, export: exportName } };
    }
    case "runtime": {
      const { kind: _kind, scaling, ...fields } = target;
      return { ...withoutUndefined(fields), ...scalingFields(scaling) };
    }
  }
}

/** As manifests say it; nothing where it is the default, since processes of an older version read the row, too. */
function scalingFields(scaling: FunctionScaling): Readonly<Record<string, unknown>> {
  const { environmentsMin: min, environmentsMax: max, invocationsPerEnvironment } = scaling;
  if (min === 0 && max === undefined && invocationsPerEnvironment === 1) return {};
  return { scaling: { environments: withoutUndefined({ min, max }), invocationsPerEnvironment } };
}

function withoutUndefined(fields: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export interface FunctionsRead {
  readonly functions: readonly FunctionResource[];
  /** Names of rows that this version cannot read. */
  readonly unreadable: readonly string[];
}

/** The functions that rows say, without those that are orphaned. Rows are checked as manifests are. */
export function functionsOf(rows: readonly ResourceRow[]): FunctionsRead {
  const documents = new Map(rows.map((row) => [`${row.kind} ${row.name}`, readDocument(row.document)]));
  const unreadable = [...documents].filter(([, document]) => document === undefined).map(([name]) => name);
  const functions: FunctionResource[] = [];
  for (const { kind, name } of rows) {
    const document = documents.get(`${kind} ${name}`);
    if (kind !== FUNCTION_KIND || document === undefined || isOrphaned(document)) continue;
    const qualified = (of: string) => qualifiedSpecs(of, name, documents);
    const versions = qualifiedSpecs(VERSION_KIND, name, documents, versionSpecOf);
    const { data: spec } = functionSpec.safeParse({
      ...effectiveSpec(document),
      versions,
      aliases: aliasSpecs(name, documents, versions),
    });
    const manifest = { apiVersion: API_VERSION, kind: "Function", metadata: { name } } as const;
    const fn = spec && functionResource({ ...manifest, spec }, "/");
    if (fn === undefined) unreadable.push(`${kind} ${name}`);
    else {
      const configs = invokeConfigsIn(qualified(INVOKE_CONFIG_KIND));
      const salted = { ...fn, aliases: saltedAliases(fn, rows) };
      functions.push(withProvisioned({ ...salted, ...configs }, qualified(PROVISIONED_KIND)));
    }
  }
  return { functions, unreadable };
}

/** Keys are dealt out by the row's own id: the same in all processes, for as long as there is the alias. */
function saltedAliases({ name, aliases }: FunctionResource, rows: readonly ResourceRow[]) {
  const uidOf = (alias: string) =>
    rows.find((row) => row.kind === ALIAS_KIND && row.name === `${name}:${alias}`)?.uid;
  return new Map(
    [...aliases].map(([alias, each]) => {
      const salt = each.weights.size === 0 ? undefined : uidOf(alias);
      return [alias, salt === undefined ? each : { ...each, salt }];
    }),
  );
}

/** A version that has no row any more keeps nothing ready. */
function withProvisioned(fn: FunctionResource, specs: Readonly<Record<string, unknown>>): FunctionResource {
  const provisioned = Object.entries(specs).flatMap(([qualifier, spec]): [string, number][] => {
    const version = fn.aliases.get(qualifier)?.version ?? qualifier;
    const concurrency = provisionedIn(spec);
    return concurrency === undefined || !fn.versions.has(version) ? [] : [[version, concurrency]];
  });
  return provisioned.length === 0 ? fn : { ...fn, provisioned: new Map(provisioned) };
}

function invokeConfigsIn(specs: Readonly<Record<string, unknown>>): Pick<FunctionResource, "invokeConfigs"> {
  const configs = Object.entries(specs).flatMap(([qualifier, spec]): [string, InvokeConfig][] => {
    const config = invokeConfigIn(spec);
    return config === undefined ? [] : [[qualifier, config]];
  });
  return configs.length === 0 ? {} : { invokeConfigs: new Map(configs) };
}

/** What a row of `INVOKE_CONFIG_KIND` says. */
export function invokeConfigIn(spec: unknown): InvokeConfig | undefined {
  const { data } = invokeConfigSpec.safeParse(spec);
  return data && invokeConfigOf(data, "/");
}

const provisionedSpec = z.looseObject({ concurrency: z.int().min(1) });

/** What a row of `PROVISIONED_KIND` says. */
export function provisionedIn(spec: unknown): number | undefined {
  return provisionedSpec.safeParse(spec).data?.concurrency;
}

/** What is in force: what the owner declared, but for what somebody else set who may. */
export function effectiveSpec({ spec, overrides }: ResourceDocument): Readonly<Record<string, unknown>> {
  return { ...spec, ...overrides };
}

/** What a version is: also the time-out that it was published with, which stands beside what runs. */
export function versionSpecOf(
  document: Pick<ResourceDocument, "spec" | "members">,
): Readonly<Record<string, unknown>> {
  const { timeoutSeconds } = membersOf(document);
  return { ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }), ...document.spec };
}

function qualifiedSpecs(
  kind: string,
  fn: string,
  documents: ReadonlyMap<string, ResourceDocument | undefined>,
  specOf = ({ spec }: ResourceDocument) => spec,
): Readonly<Record<string, unknown>> {
  const prefix = `${kind} ${fn}:`;
  const entries = [...documents].flatMap(([key, document]) =>
    key.startsWith(prefix) && document !== undefined && !isOrphaned(document)
      ? [[key.slice(prefix.length), specOf(document)] as const]
      : [],
  );
  return Object.fromEntries(entries);
}

/** As they are in force. */
function aliasSpecs(
  fn: string,
  documents: ReadonlyMap<string, ResourceDocument | undefined>,
  versions: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const hasVersion = (version: string) => Object.hasOwn(versions, version);
  return qualifiedSpecs(ALIAS_KIND, fn, documents, (document) => aliasInForce(document, hasVersion));
}

/** How many resources of each kind are not as their owners declared them. */
export function driftedByKind(rows: readonly ResourceRow[]): ReadonlyMap<string, number> {
  const counts = new Map(DECLARED_KINDS.map((kind) => [kind, 0]));
  for (const { kind, document } of rows) {
    const read = counts.has(kind) ? readDocument(document) : undefined;
    const isDrifted = read !== undefined && (read.overrides !== undefined || read.conditions.length > 0);
    if (isDrifted) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
