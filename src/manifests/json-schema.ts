import { z } from "zod";
import type { SchemaNode } from "./issue-texts.ts";
import { manifestSchema, RESOURCE_SCHEMAS, type ResourceKind } from "./schema.ts";

/** The published schema of one manifest document, for editors and other tools: `millrace schema` prints it. */
export function manifestJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = toJsonSchema(manifestSchema);
  return {
    $schema,
    $id: "https://millrace.dev/schema/v1/manifest.schema.json",
    title: "Millrace manifest",
    description: "One YAML document of a millrace manifest.",
    ...rest,
  };
}

export function manifestJsonSchemaText(): string {
  return `${JSON.stringify(manifestJsonSchema(), undefined, 2)}\n`;
}

export function resourceJsonSchema(kind: ResourceKind): SchemaNode {
  return toJsonSchema(RESOURCE_SCHEMAS[kind]) as SchemaNode;
}

/** `input`: fields with a default may be left out. Draft 7 is what YAML editors read. */
function toJsonSchema(schema: z.ZodType) {
  return z.toJSONSchema(schema, { io: "input", target: "draft-7" });
}
