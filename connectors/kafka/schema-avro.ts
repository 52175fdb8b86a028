import type { RegistrySchema } from "./registry-schema.ts";
import { SchemaProblem } from "./schema-frame.ts";

/** What is used of avsc. */
export interface AvroModule {
  readonly Type: { forSchema(schema: unknown, options: object): AvroType };
  readonly types: { readonly LongType: { __with(methods: object): unknown } };
}

interface AvroType {
  fromBuffer(data: Buffer): unknown;
}

type Json = Readonly<Record<string, unknown>>;

const PRIMITIVES: Readonly<Record<string, number>> = {
  ...{ null: 0, boolean: 1, int: 1, long: 1, float: 4, double: 8, bytes: 1, string: 1 },
};

/**
 * Reads Avro's binary form. Whole numbers are `bigint` where a number would lose digits, logical types stay what they
 * are written as, and a union's value stands alone wherever its type can be told.
 * @throws SchemaProblem, or an error of the library, for a schema that is none or could be a bomb.
 */
export function avroDecoder(
  avsc: AvroModule,
  { text, references }: RegistrySchema,
): (data: Buffer) => unknown {
  const long = avsc.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    },
    fromJSON: (value: number) => BigInt(value),
    toJSON: Number,
    isValid: (value: unknown) => typeof value === "bigint",
    compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  });
  const registry: Record<string, unknown> = { long };
  const named = new Map<string, Json>();
  const options = { registry, wrapUnions: "auto", omitRecordMethods: true };
  for (const { text: each } of references) {
    const schema: unknown = withoutDefaults(parseSchema(each));
    checkItems(schema, named);
    avsc.Type.forSchema(schema, options);
  }
  const schema = withoutDefaults(parseSchema(text));
  checkItems(schema, named);
  const type = avsc.Type.forSchema(schema, options);
  return (data) => type.fromBuffer(data);
}

/** A schema may also be the bare name of a type. */
function parseSchema(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Only who writes needs them, and the library would check them against whole numbers of its own. */
function withoutDefaults(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutDefaults);
  if (typeof schema !== "object" || schema === null) return schema;
  const { default: _, logicalType: __, ...rest } = schema as Json;
  if (Object.hasOwn(rest, "__proto__") || rest["name"] === "__proto__")
    throw new SchemaProblem('its schema has the name "__proto__"');
  return Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, NESTED.has(name) ? withoutDefaults(value) : value]),
  );
}

const NESTED = new Set(["type", "items", "values", "fields"]);

/**
 * A few bytes may say that a billion items of no bytes follow, which would be made: an array whose items may take none
 * is refused.
 */
function checkItems(schema: unknown, named: Map<string, Json>): void {
  if (Array.isArray(schema)) for (const each of schema) checkItems(each, named);
  if (typeof schema !== "object" || schema === null) return;
  const { type, items, values, fields, name } = schema as Json;
  if (typeof name === "string") named.set(name.split(".").at(-1) ?? name, schema as Json);
  for (const each of [typeof type === "object" ? type : undefined, items, values]) checkItems(each, named);
  if (Array.isArray(fields)) for (const field of fields) checkItems(field, named);
  if (type === "array" && bytesMin(items, named, 0) === 0)
    throw new SchemaProblem(
      "its schema has an array whose items take no bytes, which could have any number of them",
    );
}

/** How many bytes a value takes at least; a type that holds itself is not looked at again. */
function bytesMin(schema: unknown, named: ReadonlyMap<string, Json>, depth: number): number {
  if (depth > 64) return 1;
  if (Array.isArray(schema)) return 1;
  if (typeof schema === "string") {
    const known = named.get(schema.split(".").at(-1) ?? schema);
    return PRIMITIVES[schema] ?? (known === undefined ? 0 : bytesMin(known, named, depth + 1));
  }
  if (typeof schema !== "object" || schema === null) return 0;
  const { type, size, fields } = schema as Json;
  if (type === "enum" || type === "array" || type === "map") return 1;
  if (type === "fixed") return Number(size) > 0 ? Number(size) : 0;
  if ((type === "record" || type === "error") && Array.isArray(fields)) {
    let sum = 0;
    for (const field of fields) {
      sum += bytesMin(Reflect.get(field, "type"), named, depth + 1);
      if (sum > 0) return sum;
    }
    return sum;
  }
  return bytesMin(type, named, depth + 1);
}
