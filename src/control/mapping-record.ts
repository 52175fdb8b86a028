import { z } from "zod";
import { connectorOf } from "../manifests/mapping-source.ts";
import { buildMappingSpec } from "../manifests/mapping-spec.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { MillraceError } from "../model/errors.ts";
import type { Place } from "../model/place.ts";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { NewResourceRow, ResourceRow } from "../ports/resource-store.ts";
import { parsedJson, readDocument, writeDocument } from "../resources/document.ts";
import { MAPPING_KIND } from "../resources/kinds.ts";
import type { Owner } from "../resources/owner.ts";
import { claimsOf } from "./mapping-claims.ts";

/** States of a mapping that processes have not all carried out yet (streams §1.5). */
export const TRANSITIONS = ["Creating", "Enabling", "Disabling", "Updating", "Deleting"] as const;
export type Transition = (typeof TRANSITIONS)[number];
export type MappingState = Transition | "Enabled" | "Disabled";

/** What the control plane keeps of a mapping. */
export interface MappingRecord {
  readonly name: string;
  /** As a manifest's: checked, without `enabled`, `tags` and `uuid`. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly isEnabled: boolean;
  readonly owner: Owner;
  /** `undefined`: settled. */
  readonly transition?: Transition | undefined;
  /** Rises with every change of what is run, so that processes see what they have to do anew. */
  readonly generation: number;
  readonly lastModifiedMs: number;
}

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

function identityOf(uuid: string) {
  return { uid: uuid, kind: MAPPING_KIND, name: uuid };
}

/** A row of the record. */
export function rowOf(uuid: string, record: MappingRecord, connectors: readonly Connector[]): NewResourceRow {
  const { spec, tags, isEnabled, transition, ...kept } = record;
  const document = writeDocument({
    ...kept,
    spec: { ...spec, tags, enabled: isEnabled },
    ...(transition === undefined ? {} : { transition }),
    conditions: [],
  });
  return { ...identityOf(uuid), claims: claimsOf(spec, connectors), document };
}

const TOMBSTONE = JSON.stringify({ form: 1, isDeleted: true });

/** What stays of a deleted mapping that a manifest still has: it is not run from there. */
export function tombstoneOf(uuid: string): NewResourceRow {
  return { ...identityOf(uuid), claims: [], document: TOMBSTONE };
}

/** What a process brings to the rows that it reads. */
export interface RowReading {
  readonly connectors: readonly Connector[];
  readonly destinations?: readonly DestinationKind[];
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
  { connectors, destinations, endpoints, place }: RowReading,
): KeptMapping | undefined {
  if (kind !== MAPPING_KIND || document === TOMBSTONE) return undefined;
  const record = parseRecord(document);
  const resource =
    record &&
    buildMappingSpec(record.name, specToRun(uuid, record, connectors, endpoints), {
      connectors,
      ...(destinations === undefined ? {} : { destinations }),
      place,
    });
  if (record !== undefined && resource !== undefined) return { uuid, version, record, resource };
  throw new MillraceError(
    "ERR_MILLRACE_STORE_CORRUPT",
    `The event source mapping ${uuid} is kept in a form that this version cannot read. Run the version that wrote it, or delete the mapping there.`,
  );
}

const specSchema = z.looseObject({ enabled: z.boolean(), tags: z.record(z.string(), z.string()) });
const transitionSchema = z.enum(TRANSITIONS).optional();

function parseRecord(text: string): MappingRecord | undefined {
  const document = readDocument(text);
  if (document === undefined) return parseFormer(text);
  const { name, owner, generation, lastModifiedMs } = document;
  const spec = specSchema.safeParse(document.spec);
  const transition = transitionSchema.safeParse(document.transition);
  if (name === undefined || !spec.success || !transition.success) return undefined;
  const { enabled: isEnabled, tags, ...fields } = spec.data;
  return {
    name,
    spec: fields,
    tags,
    isEnabled,
    owner,
    transition: transition.data,
    generation,
    lastModifiedMs,
  };
}

/** As the rows of mappings were before those of all kinds had one form. */
const formerSchema = z.strictObject({
  form: z.literal(1),
  name: z.string(),
  spec: z.record(z.string(), z.unknown()),
  tags: z.record(z.string(), z.string()),
  isEnabled: z.boolean(),
  isAdopted: z.literal(true).optional(),
  transition: transitionSchema,
  generation: z.int(),
  lastModifiedMs: z.number(),
});

function parseFormer(text: string): MappingRecord | undefined {
  const former = parsedJson(text, formerSchema);
  if (former === undefined) return undefined;
  const { form: _form, isAdopted, ...record } = former;
  return { ...record, owner: { kind: "api", ...(isAdopted === undefined ? {} : { isAdopted }) } };
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
