import { stringify } from "yaml";
import type { Connector } from "../ports/connector.ts";
import { type BroughtKinds, withBrought } from "./brought-kinds.ts";
import { CUSTOM_KINDS, type CustomKind, GROUP, VERSION } from "./custom-kinds.ts";
import { manifestSchemas } from "./schema.ts";
import { type StructuralSchema, structuralSchema } from "./structural-schema.ts";

/**
 * The definitions of the custom resources, made from the schema of manifests: YAML documents that an API server of
 * Kubernetes takes. `millrace schema --custom-resources` prints them.
 */
export function customResourcesText(connectors: readonly Connector[], brought: BroughtKinds = {}): string {
  return CUSTOM_KINDS.map((custom) =>
    stringify(definitionOf(custom, connectors, brought), { lineWidth: 0 }),
  ).join("---\n");
}

function definitionOf(custom: CustomKind, connectors: readonly Connector[], brought: BroughtKinds) {
  const { kind, plural, singular, shortNames, columns } = custom;
  const whole = withBrought(manifestSchemas(connectors).json(kind), brought);
  const spec = structuralSchema(whole.properties?.["spec"] ?? {});
  const version = {
    name: VERSION,
    served: true,
    storage: true,
    subresources: { status: {} },
    additionalPrinterColumns: columns,
    schema: {
      openAPIV3Schema: {
        description: whole.description ?? "",
        type: "object",
        required: ["spec"],
        properties: {
          apiVersion: { type: "string" },
          kind: { type: "string" },
          metadata: { type: "object" },
          spec,
          status,
        },
      },
    },
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ["millrace"] },
      scope: "Namespaced",
      versions: [version],
    },
  };
}

const text: StructuralSchema = { type: "string" };

/** Written by millrace alone. A newer version may write more than an older definition names. */
const status: StructuralSchema = {
  description: "How it stands; millrace writes it.",
  type: "object",
  "x-kubernetes-preserve-unknown-fields": true,
  properties: {
    observedGeneration: {
      type: "integer",
      description: "The generation of the object that this is said of.",
    },
    conditions: {
      type: "array",
      description: "Accepted: it is in force as it is written. Ready: it does its work.",
      items: {
        type: "object",
        required: ["type", "status"],
        properties: {
          ...{ type: text, status: text, reason: text, message: text },
          observedGeneration: { type: "integer" },
          lastTransitionTime: { type: "string", format: "date-time" },
        },
      },
    },
    uuid: { ...text, description: "UUID of the mapping." },
    state: { ...text, description: "State of the mapping, in AWS's words." },
    lastProcessingResult: { ...text, description: "What became of its last batch, in AWS's words." },
    lagSeconds: {
      type: "integer",
      description: "Age of the oldest record that is not processed, as last told.",
    },
    lastError: {
      type: "object",
      description: "The error of its function that was seen last: millrace explain says more of it.",
      properties: { id: text, type: text, count: { type: "integer" } },
    },
  },
};
