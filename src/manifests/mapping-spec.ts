import type { Connector } from "../ports/connector.ts";
import type { FaultText } from "../ports/connector-parameters.ts";
import { CONSTRAINT, faultText, UNSUPPORTED } from "./fault-texts.ts";
import { describeIssue } from "./issue-texts.ts";
import { MILLRACE_MAPPING } from "./manifest-document.ts";
import { checkMapping, type MappingContext } from "./mapping-checks.ts";
import { type MappingResource, mappingResource } from "./resources.ts";
import { manifestSchemas } from "./schema.ts";
import { writtenMapping } from "./written-mapping.ts";

/** Something that AWS would refuse, by the rule that is broken, with its text. */
export interface CheckedFault extends FaultText {
  /** `type` and `constraint`: of the form of one value. */
  readonly rule: string;
  /** Below `spec`. */
  readonly path: readonly PropertyKey[];
}

export type CheckedSpec =
  | { readonly kind: "valid"; readonly resource: MappingResource }
  /** Never empty; what is wrong in the form of a value comes before rules between values. */
  | { readonly kind: "invalid"; readonly faults: readonly CheckedFault[] };

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
  const faults: CheckedFault[] = [];
  const schemas = manifestSchemas(context.connectors);
  const parsed = schemas.mapping.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const texts = describeIssue(issue, value, schemas.json("EventSourceMapping"));
      faults.push(...texts.map((text) => ({ ...text, path: text.path.slice(1) })));
    }
  }
  const folder = process.cwd();
  const broken: Parameters<typeof faultText>[0][] = [];
  const connector = checkMapping(writtenMapping(spec, folder), context, (fault) => broken.push(fault));
  for (const { rule, path, ...fault } of broken)
    faults.push({ rule, path, ...faultText({ rule, path, ...fault }, connector?.parameters.texts) });
  if (faults.length > 0) return { kind: "invalid", faults: faults.toSorted((a, b) => rank(a) - rank(b)) };
  const resource = parsed.data && mappingResource(parsed.data, folder, context);
  return resource === undefined ? { kind: "invalid", faults: [unbuilt()] } : { kind: "valid", resource };
}

function unbuilt(): CheckedFault {
  const fault = { rule: "unrecognizedSource", path: [] };
  return { ...fault, ...faultText(fault) };
}

/** `folder`: absolute; what relative paths start from. Default: the working directory. */
export type BuildContext = Pick<MappingContext, "connectors" | "destinations" | "place"> & {
  readonly folder?: string;
};

/**
 * Builds from a spec that was checked when it was kept: rules that depend on the time or on flags are not asked again.
 */
export function buildMappingSpec(
  name: string,
  spec: Readonly<Record<string, unknown>>,
  context: BuildContext,
): MappingResource | undefined {
  const { mapping } = manifestSchemas(context.connectors);
  const parsed = mapping.safeParse({ ...MILLRACE_MAPPING, metadata: { name }, spec });
  return parsed.data && mappingResource(parsed.data, context.folder ?? process.cwd(), context);
}

/**
 * A checked spec without the fields that say what their absence would: some of them are refused where they mean
 * nothing.
 */
export function withoutDefaults(
  spec: Readonly<Record<string, unknown>>,
  connectors: readonly Connector[],
): Record<string, unknown> {
  const parsed = manifestSchemas(connectors).mapping.safeParse({
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

/** That a parameter is not of this source at all comes before what is wrong inside it. */
function rank({ rule }: CheckedFault): number {
  if (rule === "type") return 0;
  if (rule === CONSTRAINT) return 1;
  return rule === UNSUPPORTED ? 2 : 3;
}
