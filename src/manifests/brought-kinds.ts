import type { FieldSchema } from "../model/field-schema.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { FunctionTargetKind } from "../ports/function-target-kind.ts";

/** Kinds of failure destinations and of functions that modules of the operator bring. */
export interface BroughtKinds {
  readonly destinations?: readonly DestinationKind[];
  readonly targets?: readonly FunctionTargetKind[];
}

/** The schema of manifests where these kinds are known: an editor completes their names and says what they take. */
export function withBrought(schema: FieldSchema, brought: BroughtKinds): FieldSchema {
  const { destinations = [], targets = [] } = brought;
  if (destinations.length === 0 && targets.length === 0) return schema;
  return changed(schema, (name, field) => {
    if (name === "custom" && targets.length > 0) return withTargets(field, targets);
    return name === "onFailure" && destinations.length > 0 ? withDestinations(field, destinations) : field;
  });
}

/** A copy, in which `change` was asked about every property by its name. */
function changed(node: FieldSchema, change: (name: string, field: FieldSchema) => FieldSchema): FieldSchema {
  const inner = (each: FieldSchema) => changed(each, change);
  const { properties, items, anyOf, oneOf, additionalProperties } = node;
  const fields = Object.entries(properties ?? {}).map(([name, field]) => [name, change(name, inner(field))]);
  return {
    ...node,
    ...(properties === undefined ? {} : { properties: Object.fromEntries(fields) }),
    ...(items === undefined ? {} : { items: inner(items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(inner) }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map(inner) }),
    ...(typeof additionalProperties === "object"
      ? { additionalProperties: inner(additionalProperties) }
      : {}),
  };
}

function withTargets(custom: FieldSchema, targets: readonly FunctionTargetKind[]): FieldSchema {
  const { kind = {}, settings = {} } = custom.properties ?? {};
  const said = targets.flatMap(({ kind: name, description }) =>
    description === undefined ? [] : [`${name}: ${description}`],
  );
  const fields = Object.assign({}, ...targets.map((target) => target.settings ?? {}));
  return {
    ...custom,
    properties: {
      ...custom.properties,
      kind: {
        ...kind,
        enum: targets.map(({ kind: name }) => name),
        description: [kind.description ?? "", ...said].join(" "),
      },
      settings: Object.keys(fields).length === 0 ? settings : { ...settings, properties: fields },
    },
  };
}

function withDestinations(onFailure: FieldSchema, destinations: readonly DestinationKind[]): FieldSchema {
  const { destination = {} } = onFailure.properties ?? {};
  const said = destinations.map(({ form, description }) => `${form}: ${description}`);
  const description = [destination.description ?? "", ...said].join(" ");
  return {
    ...onFailure,
    properties: { ...onFailure.properties, destination: { ...destination, description } },
  };
}
