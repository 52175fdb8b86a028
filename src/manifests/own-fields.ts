import { z } from "zod";
import type { FieldSchema } from "../model/field-schema.ts";
import type { Connector } from "../ports/connector.ts";

/** Fields that connectors bring, as shapes that a document is checked by. */
export function ownFields(connectors: readonly Connector[]): Record<string, z.ZodType> {
  const fields = connectors.flatMap(({ parameters }) => Object.entries(parameters.fields));
  return Object.fromEntries(fields.map(([name, schema]) => [name, typeOf(schema).optional()]));
}

function typeOf(schema: FieldSchema): z.ZodType {
  const { description, default: initial } = schema;
  const mark = schema["x-millrace-secret"] === true ? { "x-millrace-secret": true } : {};
  const type = bareTypeOf(schema).meta({ ...(description === undefined ? {} : { description }), ...mark });
  return initial === undefined ? type : type.default(initial);
}

function bareTypeOf(schema: FieldSchema): z.ZodType {
  switch (schema.type) {
    case "string":
      return schema.enum === undefined ? textType(schema) : z.enum(schema.enum.map(String));
    case "integer":
      return bounded(z.int(), schema);
    case "number":
      return bounded(z.number(), schema);
    case "boolean":
      return z.boolean();
    case "array":
      return listType(schema);
    case "object":
      return schema.properties === undefined ? mapType(schema) : objectType(schema);
    default:
      return z.unknown();
  }
}

function textType({ minLength = 0, maxLength, pattern }: FieldSchema): z.ZodType {
  const bare = z.string();
  const least = minLength > 0 ? bare.min(minLength) : bare;
  const most = maxLength === undefined ? least : least.max(maxLength);
  return pattern === undefined ? most : most.regex(new RegExp(pattern));
}

function bounded(type: z.ZodNumber, { minimum, maximum }: FieldSchema): z.ZodType {
  const least = minimum === undefined ? type : type.min(minimum);
  return maximum === undefined ? least : least.max(maximum);
}

function listType({ items, minItems = 0, maxItems }: FieldSchema): z.ZodType {
  const list = z.array(items === undefined ? z.unknown() : typeOf(items));
  const least = minItems > 0 ? list.min(minItems) : list;
  return maxItems === undefined ? least : least.max(maxItems);
}

function mapType({ additionalProperties }: FieldSchema): z.ZodType {
  const values = typeof additionalProperties === "object" ? typeOf(additionalProperties) : z.unknown();
  return z.record(z.string(), values);
}

/** Strict at every depth: what nobody knows is told, and never dropped. */
function objectType({ properties = {}, required = [] }: FieldSchema): z.ZodType {
  const entries = Object.entries(properties).map(([name, property]) => {
    const type = typeOf(property);
    return [name, required.includes(name) ? type : type.optional()] as const;
  });
  return z.strictObject(Object.fromEntries(entries));
}
