import { z } from "zod";
import { connectorOf } from "../manifests/mapping-source.ts";
import { buildMappingSpec } from "../manifests/mapping-spec.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { MillraceError } from "../model/errors.ts";
import type { Place } from "../model/place.ts";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import type { NewResourceRow, ResourceRow } from "../ports/resource-store.ts";
import { claimsOf } from "./mapping-claims.ts";

/** States of a mapping that processes have not all carried out yet (streams §1.5). */
export const TRANSITIONS = ["Creating", "Enabling", "Disabling", "Updating", "Deleting"] as const;
export type Transition = (typeof TRANSITIONS)[number];
export type MappingState = Transition | "Enabled" | "Disabled";

const recordSchema = z.strictObject({
  form: z.literal(1),
  name: z.string(),
  /** As a manifest's: checked, without `enabled`, `tags` and `uuid`. */
  spec: z.record(z.string(), z.unknown()),
  tags: z.record(z.string(), z.string()),
  isEnabled: z.boolean(),
  /** It was a manifest's: once deleted, it must not come back from there. */
  isAdopted: z.literal(true).optional(),
  /** `undefined`: settled. */
  transition: z.enum(TRANSITIONS).optional(),
  /** Rises with every change of what is run, so that processes see what they have to do anew. */
  generation: z.int(),
  lastModifiedMs: z.number(),
});

/** What the control plane keeps of a mapping. */
export type MappingRecord = Readonly<z.output<typeof recordSchema>>;

/** A row as it was read. */
export interface KeptMapping {
  readonly uuid: string;
  readonly version: number;
  readonly record: MappingRecord;
  readonly resource: MappingResource;
}

export function stateOf({ transition, isEnabled }: MappingRecord): MappingState {
  return transition ?? (isEnabled ? "Enabled" : "Disabled");
}

/** Polling is wanted: a mapping that is being deleted is stopped first. */
export function isWanted({ transition, isEnabled }: MappingRecord): boolean {
  return isEnabled && transition !== "Deleting";
}

/** The kind of the rows of event source mappings; they are named by their UUIDs. */
export const MAPPING_KIND = "mapping";

function identityOf(uuid: string) {
  return { uid: uuid, kind: MAPPING_KIND, name: uuid };
}

/** A row of the record. */
export function rowOf(uuid: string, record: MappingRecord): NewResourceRow {
  return { ...identityOf(uuid), claims: claimsOf(record.spec), document: JSON.stringify(record) };
}

const TOMBSTONE = JSON.stringify({ form: 1, isDeleted: true });

/** What stays of a deleted mapping that a manifest still has: it is not run from there. */
export function tombstoneOf(uuid: string): NewResourceRow {
  return { ...identityOf(uuid), claims: [], document: TOMBSTONE };
}

/** What a process brings to the rows that it reads. */
export interface RowReading {
  readonly connectors: readonly Connector[];
  /** The operator's, for sources that an ARN alone does not find; a record's own come first. */
  readonly endpoints: SourceEndpoints;
  readonly place: Place;
}

/**
 * Reads a row back; `undefined` for a tombstone, and for one of another kind.
 * @throws MillraceError ERR_MILLRACE_STORE_CORRUPT
 */
export function readRow(
  { uid: uuid, kind, version, document }: ResourceRow,
  { connectors, endpoints, place }: RowReading,
): KeptMapping | undefined {
  if (kind !== MAPPING_KIND || document === TOMBSTONE) return undefined;
  const record = parseRecord(document);
  const resource =
    record &&
    buildMappingSpec(record.name, specToRun(uuid, record, connectors, endpoints), { connectors, place });
  if (record !== undefined && resource !== undefined) return { uuid, version, record, resource };
  throw new MillraceError(
    "ERR_MILLRACE_STORE_CORRUPT",
    `The event source mapping ${uuid} is kept in a form that this version cannot read. Run the version that wrote it, or delete the mapping there.`,
  );
}

function parseRecord(document: string): MappingRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(document)).data;
  } catch {
    return undefined;
  }
}

function specToRun(
  uuid: string,
  { spec, tags }: MappingRecord,
  connectors: readonly Connector[],
  endpoints: SourceEndpoints,
): Record<string, unknown> {
  return { ...withEndpoints(spec, connectors, endpoints), uuid, tags };
}

/** With the operator's endpoints that its source asks for. */
export function withEndpoints(
  spec: Readonly<Record<string, unknown>>,
  connectors: readonly Connector[],
  endpoints: SourceEndpoints,
): Readonly<Record<string, unknown>> {
  const { endpoints: own, eventSourceArn } = spec;
  if (own !== undefined || eventSourceArn === undefined) return spec;
  const connector = connectorOf({ eventSourceArn }, connectors);
  const entries = Object.entries(endpoints).filter(([name]) => connector?.endpointNames.includes(name));
  return entries.length === 0 ? spec : { ...spec, endpoints: Object.fromEntries(entries) };
}
