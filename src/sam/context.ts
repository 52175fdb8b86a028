import { schemaAt } from "../manifests/issue-texts.ts";
import { manifestSchemas, RESOURCE_KINDS, type ResourceKind } from "../manifests/schema.ts";
import type { FieldSchema } from "../model/field-schema.ts";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import type { Findings } from "./remarks.ts";
import type { Stack } from "./stack.ts";
import { type MapValue, memberOf, type TemplateValue, unknownsIn } from "./template-value.ts";

/** What making resources of a template needs. */
export interface TemplateContext {
  readonly stack: Stack;
  readonly findings: Findings;
  readonly connectors: readonly Connector[];
  /** Where sources are that an ARN alone does not find, by the names that connectors define. */
  readonly endpoints: SourceEndpoints;
  /** Takes code that stands in the template itself; answers with the folder that has it. */
  readonly inlineCode: (file: string, text: string) => string;
}

/** A manifest's document as a template says it; its values know where they stand. */
export interface TemplateResource {
  readonly kind: ResourceKind | "Schedule" | "Rule";
  readonly name: string;
  readonly spec: MapValue;
  /** Where the template has it. */
  readonly place: TemplateValue["place"];
}

/** The schema at `path` of a kind's `spec`; `undefined`: there is no such field. */
export function fieldSchema(
  { connectors }: Pick<TemplateContext, "connectors">,
  kind: ResourceKind,
  ...path: readonly string[]
): FieldSchema | undefined {
  return schemaAt(manifestSchemas(connectors).json(kind), ["spec", ...path]);
}

/** Manifests of this version have the kind. */
export function isKnownKind(kind: TemplateResource["kind"]): kind is ResourceKind {
  return RESOURCE_KINDS.some((known) => known === kind);
}

/** The schema of a function's field; `undefined`: this version has none of that name. */
export function formOf(context: Pick<TemplateContext, "connectors">, field: string): FieldSchema | undefined {
  return fieldSchema(context, "Function")?.properties?.[field];
}

/** A property, worked out; `undefined`: it is not there. */
export function propertyOf(
  { stack }: Pick<TemplateContext, "stack">,
  properties: TemplateValue | undefined,
  ...path: readonly string[]
): TemplateValue | undefined {
  const value = memberOf(properties, ...path);
  const resolved = value && stack.resolve(value);
  return resolved?.kind === "absent" ? undefined : resolved;
}

/** The first part of a value that nobody knows here. */
export function gapIn(value: TemplateValue | undefined) {
  return value === undefined ? undefined : unknownsIn(value)[0];
}
