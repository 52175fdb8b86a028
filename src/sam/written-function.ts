import { deploymentPreference } from "./written-rollout.ts";

/** A function's `spec`, as a row or a manifest has it. */
export type FunctionSpec = Readonly<Record<string, unknown>>;

/** What a template cannot say, and of which resource. */
export interface TemplateRemark {
  readonly kind: string;
  readonly name: string;
  readonly message: string;
}

export interface WrittenFunction {
  readonly properties: Readonly<Record<string, unknown>>;
  /** Resources that say what no property of the function does, by what their logical names end in. */
  readonly beside: readonly (readonly [suffix: string, resource: object])[];
  /** Fields that are left out. */
  readonly unsaid: readonly string[];
}

/** References to what stands beside the function. */
export interface References {
  readonly layer: (path: string) => object;
  readonly secret: (variable: string) => object;
  /** Takes a resource that says how a rollout goes. */
  readonly plan: (resource: object) => object;
  readonly self: object;
}

const PROPERTIES: Readonly<Record<string, string>> = {
  runtime: "Runtime",
  handler: "Handler",
  memoryMb: "MemorySize",
  timeoutSeconds: "Timeout",
  reservedConcurrency: "ReservedConcurrentExecutions",
  recursiveLoop: "RecursiveLoop",
};

const INVOKE_MEMBERS: Readonly<Record<string, string>> = {
  maximumRetryAttempts: "MaximumRetryAttempts",
  maximumEventAgeSeconds: "MaximumEventAgeInSeconds",
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

/** Properties of `AWS::Serverless::Function` for a function with code in a folder or zip. */
export function functionProperties(spec: FunctionSpec, references: References): WrittenFunction {
  const unsaid = Object.keys(spec).filter(
    (field) => PROPERTIES[field] === undefined && !OTHERS.includes(field),
  );
  const { code, deadLetterConfig, ephemeralStorageMb } = spec;
  const aliases = recordOf(spec["aliases"]);
  const beside: [string, object][] = [];
  let published: Readonly<Record<string, unknown>> = {};
  for (const [name, alias] of Object.entries(aliases)) {
    const { version, eventInvokeConfig, ...rest } = recordOf(alias);
    const preference = rest["publish"] === true ? deploymentPreference(rest, references.plan) : undefined;
    // SAM publishes to one alias of a function.
    if (preference !== undefined && Object.keys(published).length === 0) {
      published = { AutoPublishAlias: name, DeploymentPreference: preference.properties };
      unsaid.push(...preference.unsaid.map((field) => `${field} of the alias ${name}`));
      beside.push(...invokeConfig(eventInvokeConfig, name, references.self));
    } else if (version !== "$LATEST" || Object.keys(rest).length > 0) unsaid.push(`alias ${name}`);
    else {
      const properties = { FunctionName: references.self, FunctionVersion: "$LATEST", Name: name };
      beside.push([`Alias${name}`, { Type: "AWS::Lambda::Alias", Properties: properties }]);
      beside.push(...invokeConfig(eventInvokeConfig, name, references.self));
    }
  }
  beside.push(...invokeConfig(spec["eventInvokeConfig"], "$LATEST", references.self));
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
    ...published,
  };
  return { properties, beside, unsaid };
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

function invokeConfig(config: unknown, qualifier: string, self: object): [string, object][] {
  if (config === undefined) return [];
  const { destinationConfig, ...members } = recordOf(config);
  const routes = Object.entries(recordOf(destinationConfig)).map(([route, to]) => [
    route === "onSuccess" ? "OnSuccess" : "OnFailure",
    { Destination: recordOf(to)["destination"] },
  ]);
  const properties = {
    FunctionName: self,
    Qualifier: qualifier,
    ...Object.fromEntries(
      Object.entries(members).map(([name, value]) => [INVOKE_MEMBERS[name] ?? name, value]),
    ),
    ...(routes.length === 0 ? {} : { DestinationConfig: Object.fromEntries(routes) }),
  };
  const suffix = `Invoke${qualifier.replaceAll(/[^A-Za-z0-9]/g, "")}`;
  return [[suffix, { Type: "AWS::Lambda::EventInvokeConfig", Properties: properties }]];
}

function pathOf(place: unknown): string | undefined {
  if (typeof place === "string") return place;
  const { path } = recordOf(place);
  return typeof path === "string" ? path : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
