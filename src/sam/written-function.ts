import { invokeConfig, writtenAliases } from "./written-aliases.ts";
import type { FunctionSpec, References, WrittenFunction } from "./written-parts.ts";

const PROPERTIES: Readonly<Record<string, string>> = {
  runtime: "Runtime",
  handler: "Handler",
  memoryMb: "MemorySize",
  timeoutSeconds: "Timeout",
  reservedConcurrency: "ReservedConcurrentExecutions",
  recursiveLoop: "RecursiveLoop",
};

/** Written below in another form than one property. */
const OTHERS: readonly string[] = [
  "aliases",
  "code",
  "deadLetterConfig",
  "environment",
  "ephemeralStorageMb",
  "eventInvokeConfig",
  "inheritEnvironment",
  "layers",
];

/**
 * Properties of `AWS::Serverless::Function` for a function with code in a folder or zip. `eventAlias`: where its events
 * go; an alias of what the template says now is published in the template, too, if it is that one.
 */
export function functionProperties(
  spec: FunctionSpec,
  eventAlias: string | undefined,
  references: References,
): WrittenFunction {
  const unsaid = Object.keys(spec).filter(
    (field) => PROPERTIES[field] === undefined && !OTHERS.includes(field),
  );
  const { code, deadLetterConfig, ephemeralStorageMb } = spec;
  const aliases = writtenAliases(recordOf(spec["aliases"]), eventAlias, references);
  unsaid.push(...aliases.unsaid);
  const beside = [...aliases.beside, ...invokeConfig(spec["eventInvokeConfig"], "$LATEST", references.self)];
  const layers = Array.isArray(spec["layers"]) ? spec["layers"].map(pathOf) : [];
  const paths = layers.filter((path) => path !== undefined);
  if (paths.length < layers.length) unsaid.push("layers of the store of packages");
  const variables = variablesOf(spec, references);
  const properties = {
    CodeUri: pathOf(code),
    ...Object.fromEntries(
      Object.entries(PROPERTIES).flatMap(([field, property]) =>
        spec[field] === undefined ? [] : [[property, spec[field]]],
      ),
    ),
    ...(paths.length === 0 ? {} : { Layers: paths.map(references.layer) }),
    ...(Object.keys(variables).length === 0 ? {} : { Environment: { Variables: variables } }),
    ...(ephemeralStorageMb === undefined ? {} : { EphemeralStorage: { Size: ephemeralStorageMb } }),
    ...(deadLetterConfig === undefined ? {} : { DeadLetterQueue: deadLetters(deadLetterConfig) }),
    ...aliases.properties,
  };
  return { properties, beside, unsaid, published: aliases.published };
}

function variablesOf(spec: FunctionSpec, { secret }: References): Readonly<Record<string, unknown>> {
  const inherited = Array.isArray(spec["inheritEnvironment"]) ? spec["inheritEnvironment"].map(String) : [];
  return {
    ...recordOf(spec["environment"]),
    ...Object.fromEntries(inherited.map((name) => [name, secret(name)])),
  };
}

function deadLetters(config: unknown): object {
  const { targetArn } = recordOf(config);
  return { Type: String(targetArn).split(":")[2]?.toUpperCase(), TargetArn: targetArn };
}

function pathOf(place: unknown): string | undefined {
  if (typeof place === "string") return place;
  const { path } = recordOf(place);
  return typeof path === "string" ? path : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Why SAM has no such function; `undefined`: it has. Ends a sentence. */
export function whyLeftOut({
  http,
  lambda,
  module,
  custom,
  code,
  command,
  runtime,
}: FunctionSpec): string | undefined {
  if (http !== undefined) return "behind HTTP";
  if (lambda !== undefined) return "that runs on Lambda already";
  if (module !== undefined) return "in a module of Node without a package";
  if (custom !== undefined) return "of a kind that a module brings";
  if (command !== undefined || runtime === undefined) return "that a command starts";
  const path = typeof code === "string" ? code : Object(code).path;
  return typeof path === "string" ? undefined : "whose code is in millrace's own store of packages";
}
