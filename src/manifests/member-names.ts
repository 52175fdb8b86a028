import type { FieldSchema } from "../model/field-schema.ts";

/** Names that are not the field's with a capital in front. */
const CAPITALS: Readonly<Record<string, string>> = { uri: "URI", kmsKeyArn: "KMSKeyArn" };

/** AWS's name of a manifest's field. */
export function awsMember(field: string): string {
  return CAPITALS[field] ?? field.slice(0, 1).toUpperCase() + field.slice(1);
}

/** The field that AWS's member is: the names differ in capitals only. */
export function fieldOf(member: string, fields: readonly string[]): string | undefined {
  if (!/^[A-Z]/.test(member)) return undefined;
  return fields.find((field) => field.toLowerCase() === member.toLowerCase());
}

/** Values of fields with AWS's names, at every depth; names in maps are the caller's own. */
export function awsMembers(
  values: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, FieldSchema>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [awsMember(name), awsValue(value, fields[name])]),
  );
}

function awsValue(value: unknown, schema: FieldSchema | undefined): unknown {
  if (Array.isArray(value)) return value.map((member) => awsValue(member, schema?.items));
  if (typeof value !== "object" || value === null || schema?.properties === undefined) return value;
  return awsMembers({ ...value }, schema.properties);
}
