import type { References, WrittenFunction } from "./written-parts.ts";
import { deploymentPreference } from "./written-rollout.ts";

type Fields = Readonly<Record<string, unknown>>;

const INVOKE_MEMBERS: Readonly<Record<string, string>> = {
  maximumRetryAttempts: "MaximumRetryAttempts",
  maximumEventAgeSeconds: "MaximumEventAgeInSeconds",
};

/**
 * Aliases of a function: the one that SAM publishes to as properties of the function, others of what the template says
 * now beside it. `eventAlias`: where events of the function go.
 */
export function writtenAliases(
  aliases: Fields,
  eventAlias: string | undefined,
  { plan, self }: Pick<References, "plan" | "self">,
): WrittenFunction {
  const unsaid: string[] = [];
  const beside: [string, object][] = [];
  let properties: Fields = {};
  const all = Object.entries(aliases).map(([name, alias]) => [name, recordOf(alias)] as const);
  const published = publishedOf(all, eventAlias);
  for (const [name, { version, eventInvokeConfig, ...rest }] of all) {
    const isLatest = version === "$LATEST" && Object.keys(rest).length === 0;
    if (name !== published && !isLatest) {
      unsaid.push(`alias ${name}`);
      continue;
    }
    if (name !== published) {
      const alias = { FunctionName: self, FunctionVersion: "$LATEST", Name: name };
      beside.push([`Alias${name}`, { Type: "AWS::Lambda::Alias", Properties: alias }]);
    } else if (isLatest) properties = { AutoPublishAlias: name };
    else {
      const preference = deploymentPreference(rest, plan);
      properties = { AutoPublishAlias: name, DeploymentPreference: preference.properties };
      unsaid.push(...preference.unsaid.map((field) => `${field} of the alias ${name}`));
    }
    beside.push(...invokeConfig(eventInvokeConfig, name, self));
  }
  return { properties, beside, unsaid, published };
}

/** SAM publishes to one alias of a function. */
function publishedOf(
  aliases: readonly (readonly [name: string, alias: Fields])[],
  eventAlias: string | undefined,
): string | undefined {
  const [published] = aliases.find(([, { publish }]) => publish === true) ?? [];
  if (published !== undefined) return published;
  return aliases.find(([name, { version }]) => name === eventAlias && version === "$LATEST")?.[0];
}

export function invokeConfig(config: unknown, qualifier: string, self: object): [string, object][] {
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

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
