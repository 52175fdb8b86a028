import { createContext, Script } from "node:vm";
import { JsonTooDeep, parseExactJson } from "../../src/model/exact-json.ts";
import type { RegistrySchema } from "./registry-schema.ts";
import { type AvroModule, avroDecoder } from "./schema-avro.ts";
import { SchemaProblem } from "./schema-frame.ts";
import { boundedJson } from "./schema-json.ts";
import { protobufDecoder, type ToProtoJson } from "./schema-protobuf.ts";

/** What data becomes. */
export interface DecodedData {
  readonly json: Buffer;
  /** Without the registry's frame: for the format SOURCE. */
  readonly source: Buffer;
}

/** @throws SchemaProblem when the data is not of the schema. Bounded in time and in what it makes. */
export type SchemaDecoder = (data: Buffer) => DecodedData;

/** More no event holds. */
const JSON_BYTES_MAX = 16 * 1024 * 1024;
/** For what a schema brings in its patterns, and for reading one. */
const STEP_MS_MAX = 2_000;

/** @throws SchemaProblem when the schema cannot be used. */
export async function createDecoder(schema: RegistrySchema, isGlue: boolean): Promise<SchemaDecoder> {
  if (schema.dataFormat === "AVRO") {
    const { default: avsc } = await import("avsc");
    const read = said("cannot be read", () => avroDecoder(avsc as AvroModule, schema));
    return guarded((data) => ({ json: boundedJson(read(data), JSON_BYTES_MAX), source: data }));
  }
  if (schema.dataFormat === "PROTOBUF") {
    const { default: protobuf } = await import("protobufjs");
    const { default: json } = await import("protobufjs/ext/protojson.js");
    json.install();
    const toJson: ToProtoJson = (type, message) => type.toJson(message);
    const read = said("cannot be read", () => protobufDecoder(protobuf, schema, isGlue, toJson));
    return guarded((data) => {
      const { value, source } = read(data);
      return { json: boundedJson(value, JSON_BYTES_MAX), source };
    });
  }
  return await jsonDecoder(schema);
}

/** The message of a library may quote the data, so that no more than what kind of problem it is goes on. */
function guarded(decode: SchemaDecoder): SchemaDecoder {
  return (data) => {
    try {
      return decode(data);
    } catch (error) {
      if (error instanceof SchemaProblem || error instanceof JsonTooDeep) throw error;
      throw new SchemaProblem("it is not of its schema");
    }
  };
}

function said<T>(problem: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof SchemaProblem) throw error;
    throw new SchemaProblem(`its schema ${problem}`);
  }
}

async function jsonDecoder({ text, references }: RegistrySchema): Promise<SchemaDecoder> {
  const main: unknown = said("is no JSON", () => JSON.parse(text));
  if (typeof main === "boolean") return guarded((data) => ofJson(data, () => main));
  const dialect = typeof main === "object" && main !== null ? String(Reflect.get(main, "$schema") ?? "") : "";
  const ajv = await ajvOf(dialect);
  const validate = said("cannot be used", () =>
    bounded(() => {
      for (const { name, text: each } of references) ajv.addSchema(withoutDialect(JSON.parse(each)), name);
      return ajv.compile(withoutDialect(main as object));
    }),
  );
  const hasPattern = [text, ...references.map((each) => each.text)].some((each) => each.includes('"pattern'));
  return guarded((data) =>
    ofJson(data, (value) => (hasPattern ? bounded(() => validate(value)) : validate(value))),
  );
}

/** Formats are notes, as the specification has them; nothing is fetched that a schema refers to. */
async function ajvOf(dialect: string) {
  const options = { strict: false, validateFormats: false, logger: false, allErrors: false } as const;
  if (dialect.includes("2020-12")) return new (await import("ajv/dist/2020.js")).Ajv2020(options);
  if (dialect.includes("2019-09")) return new (await import("ajv/dist/2019.js")).Ajv2019(options);
  return new (await import("ajv")).Ajv(options);
}

/** Drafts 4 and 6 are read as draft 7. */
function withoutDialect(schema: object): object {
  const { $schema: _, ...rest } = schema as Readonly<Record<string, unknown>>;
  return rest;
}

/** Numbers beyond what JavaScript holds stay as they stand there: the text itself is handed on. */
function ofJson(data: Buffer, isValid: (value: unknown) => unknown): DecodedData {
  if (data.length > JSON_BYTES_MAX) throw new SchemaProblem(`it has more than ${JSON_BYTES_MAX} bytes`);
  parseExactJson(data.toString("utf8"));
  if (isValid(JSON.parse(data.toString("utf8"))) !== true)
    throw new SchemaProblem("it does not fit its JSON Schema");
  return { json: data, source: data };
}

const STEP = new Script("step()");
const context = createContext({ step: undefined });

/** A pattern that never ends is stopped, wherever it is. */
function bounded<T>(step: () => T): T {
  context["step"] = step;
  try {
    return STEP.runInContext(context, { timeout: STEP_MS_MAX }) as T;
  } catch (error) {
    // It is an error of the context's own, and no `Error` of ours.
    const code = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
    if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT")
      throw new SchemaProblem(`its schema takes longer than ${STEP_MS_MAX} ms to look at it`);
    throw error;
  } finally {
    context["step"] = undefined;
  }
}
