import { describeIssue, type SchemaNode, valueAt } from "./issue-texts.ts";
import { resourceJsonSchema } from "./json-schema.ts";
import { type ManifestDocument, MILLRACE_MAPPING } from "./manifest-document.ts";
import { checkMapping, type MappingContext } from "./mapping-checks.ts";
import { type MappingResource, mappingResource } from "./resources.ts";
import { mappingSchema } from "./schema.ts";

/** Something that AWS would refuse, in its words where it has some (streams §1.6), without a remedy. */
export interface SpecFault {
  /** Below `spec`. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** `type`: another JSON type belongs here. `constraint`: the value alone is outside its range or set. */
  readonly kind: "type" | "constraint" | "rule";
}

export type CheckedSpec =
  | { readonly kind: "valid"; readonly resource: MappingResource }
  /** Never empty; what is wrong in the form of a value comes before rules between values. */
  | { readonly kind: "invalid"; readonly faults: readonly SpecFault[] };

/**
 * Checks the `spec` of a mapping that stands in no manifest, with the manifests' own rules, and builds its resource.
 * Relative paths in it start from the working directory.
 */
export function checkMappingSpec(
  name: string,
  spec: Readonly<Record<string, unknown>>,
  context: MappingContext,
): CheckedSpec {
  const value = { ...MILLRACE_MAPPING, metadata: { name }, spec };
  const faults: SpecFault[] = [];
  const parsed = mappingSchema.safeParse(value);
  if (!parsed.success) {
    mappingJsonSchema ??= resourceJsonSchema("EventSourceMapping");
    for (const issue of parsed.error.issues) {
      const isType = issue.code === "invalid_type" && valueAt(value, issue.path) !== undefined;
      for (const { path, message } of describeIssue(issue, value, mappingJsonSchema)) {
        faults.push({ path: path.slice(1), message, kind: isType ? "type" : kindOf(message) });
      }
    }
  }
  const folder = process.cwd();
  const document: ManifestDocument = {
    kind: "EventSourceMapping",
    file: "",
    folder,
    name,
    position: name,
    manifest: parsed.data,
    raw: (...path) => valueAt(value, path),
    report: (path, message) => faults.push({ path: path.slice(1), message, kind: kindOf(message) }),
  };
  checkMapping(document, context);
  if (faults.length > 0) return { kind: "invalid", faults: faults.toSorted((a, b) => rank(a) - rank(b)) };
  const resource = parsed.data && mappingResource(parsed.data, folder, context);
  const unbuilt: SpecFault = { path: [], message: "Unrecognized event source.", kind: "rule" };
  return resource === undefined ? { kind: "invalid", faults: [unbuilt] } : { kind: "valid", resource };
}

/**
 * Builds from a spec that was checked when it was kept: rules that depend on the time or on flags are not asked again.
 */
export function buildMappingSpec(
  name: string,
  spec: Readonly<Record<string, unknown>>,
  context: Pick<MappingContext, "connectors" | "place">,
): MappingResource | undefined {
  const parsed = mappingSchema.safeParse({ ...MILLRACE_MAPPING, metadata: { name }, spec });
  return parsed.data && mappingResource(parsed.data, process.cwd(), context);
}

/**
 * A checked spec without the fields that say what their absence would: some of them are refused where they mean
 * nothing.
 */
export function withoutDefaults(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const parsed = mappingSchema.safeParse({
    ...MILLRACE_MAPPING,
    metadata: { name: "defaults" },
    spec: { functionName: spec["functionName"], eventSourceArn: spec["eventSourceArn"] },
  });
  const defaults: Readonly<Record<string, unknown>> = { ...parsed.data?.spec };
  const isDefault = ([name, value]: [string, unknown]) =>
    name !== "functionName" &&
    name !== "eventSourceArn" &&
    JSON.stringify(value) === JSON.stringify(defaults[name]);
  return Object.fromEntries(Object.entries(spec).filter((entry) => !isDefault(entry)));
}

/** Made once: it takes longer than all checks together. */
let mappingJsonSchema: SchemaNode | undefined;

/** AWS's front end speaks before the service does; but what is null is the service's to refuse (streams §1.6). */
function kindOf(message: string): SpecFault["kind"] {
  return message.startsWith("1 validation error detected: Value '") ? "constraint" : "rule";
}

/** That a parameter is not of this source at all comes before what is wrong inside it. */
function rank({ kind, message }: SpecFault): number {
  if (kind === "type") return 0;
  if (kind === "constraint") return 1;
  return message.startsWith("Unsupported ") ? 2 : 3;
}
