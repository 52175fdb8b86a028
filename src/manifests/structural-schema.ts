import type { FieldSchema } from "../model/field-schema.ts";

/** What Kubernetes calls a structural schema: a part of OpenAPI 3 in which each value has one type. */
export type StructuralSchema = Readonly<Record<string, unknown>>;

/**
 * The same shape as far as an API server can hold it. What it cannot say is left to the checks of millrace: rules of
 * one form among several, of names, and patterns that Go does not know. Defaults are left out: the server would write
 * them into the user's object.
 */
export function structuralSchema(schema: FieldSchema): StructuralSchema {
  const described = schema.description === undefined ? {} : { description: schema.description };
  return { ...described, ...shapeOf(schema) };
}

/** Holds whatever is written. */
const ANYTHING: StructuralSchema = { "x-kubernetes-preserve-unknown-fields": true };
/** Taken over as they are. */
const BOUNDS = ["minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "enum"] as const;

function shapeOf(schema: FieldSchema): StructuralSchema {
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) return formsOf(forms);
  if (schema.const !== undefined) return { type: schema.type ?? typeof schema.const, enum: [schema.const] };
  switch (schema.type) {
    case "object":
      return objectOf(schema);
    case "array":
      return { type: "array", items: structuralSchema(schema.items ?? {}), ...boundsOf(schema) };
    case "string":
    case "integer":
    case "number":
    case "boolean":
      return { type: schema.type, ...patternOf(schema), ...boundsOf(schema) };
    default:
      return ANYTHING;
  }
}

function objectOf({ properties, required = [], additionalProperties }: FieldSchema): StructuralSchema {
  if (properties === undefined) {
    if (typeof additionalProperties !== "object") return { type: "object", ...ANYTHING };
    return { type: "object", additionalProperties: structuralSchema(additionalProperties) };
  }
  const fields = Object.entries(properties).map(([name, field]) => [name, structuralSchema(field)]);
  return {
    type: "object",
    properties: Object.fromEntries(fields),
    ...(required.length === 0 ? {} : { required }),
  };
}

/** A number or a text has a form of its own there; of several objects the server checks nothing. */
function formsOf(forms: readonly FieldSchema[]): StructuralSchema {
  const types = forms.map(({ type }) => type);
  const isIntOrText = types.every((type) => type === "integer" || type === "string");
  return isIntOrText ? { "x-kubernetes-int-or-string": true } : ANYTHING;
}

function boundsOf(schema: FieldSchema): StructuralSchema {
  return Object.fromEntries(
    BOUNDS.flatMap((bound) => (schema[bound] === undefined ? [] : [[bound, schema[bound]]])),
  );
}

/**
 * Go's expressions look neither ahead nor behind, write characters by their numbers in another way, and repeat nothing
 * more than a thousand times.
 */
function patternOf({ pattern }: FieldSchema): StructuralSchema {
  if (pattern === undefined) return {};
  const isOfJavaScript = /\(\?(?!:)|\\[ukpP]/.test(pattern);
  const counts = [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, least, most]) =>
    Number(most || least),
  );
  // One that stands in another counts as often as that.
  const repeats = counts.reduce((product, count) => product * Math.max(1, count), 1);
  return isOfJavaScript ||
    counts.some((count) => count > REPEATS_MAX) ||
    (isNested(pattern) && repeats > REPEATS_MAX)
    ? {}
    : { pattern };
}

const REPEATS_MAX = 1_000;

/** A group that is repeated has something in it that is. */
function isNested(pattern: string): boolean {
  return /\{[^}]*\}[^()]*\)\{/.test(pattern);
}
