import type { z } from "zod";
import type { FieldSchema } from "../model/field-schema.ts";
import { nearestName } from "./nearest-name.ts";
import { AWS_PARAMETERS_UNSUPPORTED } from "./unsupported-parameters.ts";

export interface IssueText {
  /** `type`: another JSON type belongs here. `constraint`: the value alone is outside its range or set. */
  readonly rule: "type" | "constraint" | "form";
  readonly path: readonly PropertyKey[];
  readonly part: "key" | "value";
  readonly message: string;
  readonly remedy: string;
  /** The field that an unknown one is likely to be. */
  readonly meant?: readonly PropertyKey[];
}

/**
 * Says what a schema issue means. Where AWS has a text for it (streams §1.6) the message is that text, since people
 * search for it; the remedy says what to write instead.
 */
export function describeIssue(issue: z.core.$ZodIssue, root: unknown, schema: FieldSchema): IssueText[] {
  const path = issue.path;
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(schemaAt(schema, path)?.properties ?? {});
    return issue.keys.map((key) => describeUnknownField([...path, key], key, known));
  }
  const value = valueAt(root, path);
  const node = schemaAt(schema, path);
  const remedy = describeExpectation(node);
  if (value === undefined || value === null) {
    const rule = value === null ? ruleOf(issue, path) : "form";
    return [{ rule, path, part: "value", ...describeMissing(path, node, value, remedy) }];
  }
  const shown = node?.["x-millrace-secret"] === true ? REDACTED : value;
  const message = describeConstraint(issue, path, shown);
  return [{ rule: ruleOf(issue, path), path, part: "value", message, remedy }];
}

export function schemaAt(schema: FieldSchema, path: readonly PropertyKey[]): FieldSchema | undefined {
  let node: FieldSchema | undefined = schema;
  for (const step of path) {
    node = withFields(node);
    const additional: FieldSchema | boolean | undefined = node?.additionalProperties;
    const property: FieldSchema | undefined = typeof step === "string" ? node?.properties?.[step] : undefined;
    node = property ?? (typeof step === "number" ? node?.items : undefined);
    if (node === undefined && typeof additional === "object") node = additional;
  }
  return withFields(node);
}

/** A value of several forms is described by the one that has fields. */
function withFields(node: FieldSchema | undefined): FieldSchema | undefined {
  return node?.anyOf?.find(({ properties }) => properties !== undefined) ?? node;
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** AWS's names of the fields: behind `spec.`, with list members by number from 1 as AWS counts them. */
export function awsFieldName(path: readonly PropertyKey[]): string {
  const steps = path[0] === "spec" ? path.slice(1) : path;
  return steps.map((step) => (typeof step === "number" ? `${step + 1}.member` : String(step))).join(".");
}

/** AWS's template for values outside their range or set (streams §1.6). */
export function awsConstraint(path: readonly PropertyKey[], value: unknown, constraint: string): string {
  return `1 validation error detected: Value ${shownValue(value)} at '${awsFieldName(path)}' failed to satisfy constraint: ${constraint}`;
}

function describeUnknownField(
  path: readonly PropertyKey[],
  key: string,
  known: readonly string[],
): IssueText {
  const unsupported = AWS_PARAMETERS_UNSUPPORTED.get(key);
  const isMappingParameter = path.length === 2 && path[0] === "spec" && known.includes("functionName");
  if (isMappingParameter && unsupported !== undefined) {
    return { rule: "form", path, part: "key", message: unsupported, remedy: "Remove the field" };
  }
  if (key === "onSuccess") {
    const message = "OnSuccess configuration is not supported for event source mappings.";
    return { rule: "form", path, part: "key", message, remedy: "Remove the field; onFailure is supported" };
  }
  const nearest = nearestName(key, known);
  const remedy = nearest === undefined ? `Fields here are: ${known.join(", ")}` : `Did you mean ${nearest}?`;
  const message = `There is no field ${JSON.stringify(key.slice(0, 80))}`;
  const meant = nearest === undefined ? {} : { meant: [...path.slice(0, -1), nearest] };
  return { rule: "form", path, part: "key", message, remedy, ...meant };
}

function describeMissing(
  path: readonly PropertyKey[],
  node: FieldSchema | undefined,
  value: undefined | null,
  remedy: string,
): { message: string; remedy: string } {
  if (value === null) return { message: "The field has no value", remedy };
  const isMember = path[0] === "spec" && path.length > 1 && node?.enum !== undefined;
  const message = isMember
    ? awsConstraint(path, null, "Member must not be null.")
    : "The field is missing and has no default";
  return { message, remedy };
}

const REDACTED = "[redacted]";

/** AWS's front end refuses a value outside of its range or set before the service sees it (streams §1.6). */
function ruleOf({ code }: z.core.$ZodIssue, path: readonly PropertyKey[]): IssueText["rule"] {
  if (code === "invalid_type") return "type";
  const isSet = code === "invalid_value" && path[0] === "spec";
  return code === "too_big" || code === "too_small" || isSet ? "constraint" : "form";
}

function describeConstraint(issue: z.core.$ZodIssue, path: readonly PropertyKey[], value: unknown): string {
  switch (issue.code) {
    case "too_big":
      return awsConstraint(path, value, tooBigText(issue.origin, issue.maximum));
    case "too_small":
      return awsConstraint(path, value, tooSmallText(issue.origin, issue.minimum));
    case "invalid_value":
      return invalidValueText(issue.values, path, value);
    case "invalid_format":
      return `The text ${shownValue(value)} does not have the form of this field`;
    default:
      return `The value is ${describeType(value)}`;
  }
}

function tooBigText(origin: string, maximum: number | bigint): string {
  const measure = origin === "string" || origin === "array" ? "length" : "value";
  return `Member must have ${measure} less than or equal to ${maximum}`;
}

function tooSmallText(origin: string, minimum: number | bigint): string {
  const measure = origin === "string" || origin === "array" ? "length" : "value";
  return `Member must have ${measure} greater than or equal to ${minimum}`;
}

function invalidValueText(values: readonly unknown[], path: readonly PropertyKey[], value: unknown): string {
  if (path[0] !== "spec") return `The value ${shownValue(value)} is not known here`;
  const set = `Member must satisfy enum value set: [${values.join(", ")}]`;
  const isListMember = typeof path.at(-1) === "number";
  if (!isListMember) return awsConstraint(path, value, set);
  return awsConstraint(
    path.slice(0, -1),
    [value],
    `Member must satisfy constraint: [${set}, Member must not be null]`,
  );
}

function describeExpectation(node: FieldSchema | undefined): string {
  const form = describeForm(node);
  const sentences = [form === undefined ? undefined : `Give ${form}.`, node?.description];
  return sentences.filter((sentence) => sentence !== undefined).join(" ");
}

function describeForm(node: FieldSchema | undefined): string | undefined {
  if (node?.const !== undefined) return String(node.const);
  if (node?.enum !== undefined)
    return node.enum.length === 1 ? String(node.enum[0]) : `one of ${node.enum.join(", ")}`;
  switch (node?.type) {
    case "integer":
      return `a whole number from ${node.minimum ?? 0} to ${node.maximum ?? "any"}`;
    case "number":
      return `a number from ${node.minimum ?? 0} to ${node.maximum ?? "any"}`;
    case "boolean":
      return "true or false";
    case "string":
      return node.maxLength === undefined ? "a text" : `a text of at most ${node.maxLength} characters`;
    case "array":
      return node.maxItems === undefined
        ? "a list"
        : `a list of at most ${node.maxItems} ${node.maxItems === 1 ? "entry" : "entries"}`;
    case "object":
      return node.properties === undefined
        ? "a map of names to values"
        : `a map with the fields ${Object.keys(node.properties).join(", ")}`;
    default:
      return undefined;
  }
}

/** Long texts and whole maps are not shown: they may hold what should not stand in a log. */
function shownValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `'[${value.map(shownMember).join(", ")}]'`;
  return `'${shownMember(value)}'`;
}

function shownMember(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return describeType(value);
  return value.length <= SHOWN_CHARS_MAX ? value : `${value.slice(0, SHOWN_CHARS_MAX)}…`;
}

const SHOWN_CHARS_MAX = 80;

function describeType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return `the boolean ${value}`;
  return typeof value === "string" ? "a text" : "a map";
}
