import { z } from "zod";
import type { FieldSchema } from "../model/field-schema.ts";
import type { Connector } from "../ports/connector.ts";
import { functionSpec } from "./function-schema.ts";
import { type MappingSpec, mappingSpecSchema } from "./mapping-schema.ts";
import { routeSpec } from "./route-schema.ts";
import { ruleSpec, scheduleSpec } from "./schedule-schema.ts";

/**
 * The shape of manifests. The published JSON Schema and the settings reference are made from it. Rules between fields
 * are in `mapping-checks.ts` and its neighbours, and in the connectors' parameters.
 */

export const API_VERSION = "millrace.dev/v1";

const labels = (description: string) => z.record(z.string(), z.string()).optional().describe(description);

const metadata = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$/)
      .describe(
        "Name of the resource, unique among its kind: 1 to 64 letters, digits, - and _, with a letter or digit at both ends. A mapping's name is the `mapping` label of its metrics.",
      ),
    labels: labels("Labels for people and other tools; millrace does not read them."),
    annotations: labels("Notes for people and other tools; millrace does not read them."),
  })
  .describe("Identity of the resource.");

const resource = <Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec, description: string) =>
  z
    .strictObject({
      apiVersion: z.literal(API_VERSION).describe("Version of the manifest's form."),
      kind: z.literal(kind).describe("What the document describes."),
      metadata,
      spec,
    })
    .describe(description);

const functionSchema = resource("Function", functionSpec, "A function that mappings name.");

const routeSchema = resource("Route", routeSpec, "HTTP requests from outside that invoke a function.");

const scheduleSchema = resource("Schedule", scheduleSpec, "Times at which a function is invoked.");

const ruleSchema = resource("Rule", ruleSpec, "Events, or times, that functions are invoked for.");

export type FunctionManifest = z.output<typeof functionSchema>;
export type RouteManifest = z.output<typeof routeSchema>;
export type MappingManifest = Omit<FunctionManifest, "kind" | "spec"> & {
  readonly kind: "EventSourceMapping";
  readonly spec: MappingSpec;
};

type ScheduleManifest = z.output<typeof scheduleSchema>;
type RuleManifest = z.output<typeof ruleSchema>;

/** A document of any kind. */
export type Manifest = FunctionManifest | MappingManifest | RouteManifest | ScheduleManifest | RuleManifest;

export const RESOURCE_KINDS = ["Function", "EventSourceMapping", "Route", "Schedule", "Rule"] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** What manifests may say in a process that has these connectors. */
export class ManifestSchemas {
  readonly mapping: z.ZodType<MappingManifest>;
  readonly #whole: z.ZodType;
  readonly #json = new Map<ResourceKind | "whole", FieldSchema>();

  constructor(connectors: readonly Connector[]) {
    const mapping = resource(
      "EventSourceMapping",
      mappingSpecSchema(connectors),
      `Reads a stream or a queue and invokes a function with its records. ${titles(connectors)}`,
    );
    this.mapping = mapping;
    this.#whole = z.discriminatedUnion("kind", [
      functionSchema,
      mapping,
      routeSchema,
      scheduleSchema,
      ruleSchema,
    ]);
  }

  of(kind: ResourceKind): z.ZodType<Manifest> {
    switch (kind) {
      case "Function":
        return functionSchema;
      case "EventSourceMapping":
        return this.mapping;
      case "Schedule":
        return scheduleSchema;
      case "Rule":
        return ruleSchema;
      case "Route":
        return routeSchema;
    }
  }

  /** JSON Schema of one kind of document, or of all. Made once: it takes longer than all checks together. */
  json(kind: ResourceKind | "whole"): FieldSchema {
    const schema = this.#json.get(kind) ?? toJsonSchema(kind === "whole" ? this.#whole : this.of(kind));
    this.#json.set(kind, schema);
    return schema;
  }
}

function titles(connectors: readonly Connector[]): string {
  const of = (offers: Connector["offers"]) =>
    connectors
      .filter((connector) => connector.offers === offers)
      .map(({ parameters }) => parameters.title)
      .join(", ");
  return `Streams here: ${of("stream")}. Queues here: ${of("queue")}.`;
}

/** `input`: fields with a default may be left out. Draft 7 is what YAML editors read. */
function toJsonSchema(schema: z.ZodType): FieldSchema {
  return z.toJSONSchema(schema, { io: "input", target: "draft-7" }) as FieldSchema;
}

const known = new WeakMap<readonly Connector[], ManifestSchemas>();

/** Those of a list of connectors, made once. */
export function manifestSchemas(connectors: readonly Connector[]): ManifestSchemas {
  const schemas = known.get(connectors) ?? new ManifestSchemas(connectors);
  known.set(connectors, schemas);
  return schemas;
}
