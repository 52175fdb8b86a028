import { z } from "zod";
import { connectorOf, endpointRivalry } from "../manifests/mapping-source.ts";
import { buildMappingSpec } from "../manifests/mapping-spec.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { MillraceError } from "../model/errors.ts";
import type { Place } from "../model/place.ts";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { NewResourceRow, ResourceRow } from "../ports/resource-store.ts";
import {
  isOrphaned,
  parsedJson,
  type ResourceDocument,
  readDocument,
  writeDocument,
} from "../resources/document.ts";
import { MAPPING_KIND } from "../resources/kinds.ts";
import type { Owner } from "../resources/owner.ts";
import { ControlFault } from "./control-fault.ts";
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
  /** What is in force. */
  readonly isEnabled: boolean;
  /** What its owner declared, where another who may has set otherwise. */
  readonly declaresEnabled?: boolean;
  readonly owner: Owner;
  /** What is the matter with it: absent is nothing. */
  readonly conditions?: ResourceDocument["conditions"];
  /** Absolute; what relative paths in `spec` start from. Default: the working directory. */
  readonly folder?: string;
  /** Stands for all that its set declared. */
  readonly setDigest?: string;
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
  /** As its row has them. */
  readonly claims?: readonly string[];
}

export function stateOf({ transition, isEnabled }: MappingRecord): MappingState {
  return transition ?? (isEnabled ? "Enabled" : "Disabled");
}

/** Polling is wanted: a mapping that is being deleted is stopped first. */
export function isWanted(record: MappingRecord): boolean {
  return record.isEnabled && record.transition !== "Deleting" && !isOrphan(record);
}

/** It vanished from its manifests: kept with its progress, and shown to no caller of Lambda's API. */
export function isOrphan({ conditions = [] }: MappingRecord): boolean {
  return isOrphaned({ conditions });
}

export function isOfManifest({ owner }: Pick<MappingRecord, "owner">): boolean {
  return owner.kind === "manifest";
}

function identityOf(uuid: string) {
  return { uid: uuid, kind: MAPPING_KIND, name: uuid };
}

/** A row of the record. */
export function rowOf(uuid: string, record: MappingRecord, connectors: readonly Connector[]): NewResourceRow {
  const { spec, tags, isEnabled, declaresEnabled, transition, conditions = [], ...kept } = record;
  const document = writeDocument({
    ...kept,
    spec: { ...spec, tags, enabled: declaresEnabled ?? isEnabled },
    ...(declaresEnabled === undefined ? {} : { overrides: { enabled: isEnabled } }),
    ...(transition === undefined ? {} : { transition }),
    conditions,
  });
  return { ...identityOf(uuid), claims: claimsOf(spec, connectors), document };
}

const TOMBSTONE = JSON.stringify({ form: 1, isDeleted: true });

/** What stays of a deleted mapping that a manifest still has: it is not run from there. */
export function tombstoneOf(uuid: string): NewResourceRow {
  return { ...identityOf(uuid), claims: [], document: TOMBSTONE };
}

export function isTombstone({ document }: Pick<ResourceRow, "document">): boolean {
  return document === TOMBSTONE;
}

/** What a process brings to the rows that it reads. */
export interface RowReading {
  readonly connectors: readonly Connector[];
  /** For what manifests say: they name the places that they like. Default: the same. */
  readonly manifestConnectors?: readonly Connector[];
  readonly destinations?: readonly DestinationKind[];
  /** The operator's, for sources that an ARN alone does not find; a record's own come first. */
  readonly endpoints: SourceEndpoints;
  readonly place: Place;
}

/**
 * Reads a row back; `undefined` for a tombstone, and for one of another kind.
 * @throws MillraceError ERR_MILLRACE_STORE_CORRUPT
 */
export function readRow(row: ResourceRow, reading: RowReading): KeptMapping | undefined {
  const { uid: uuid, kind, version, document, claims } = row;
  if (kind !== MAPPING_KIND || isTombstone(row)) return undefined;
  const record = parseRecord(document);
  const resource = record && resourceOf(uuid, record, reading);
  if (record !== undefined && resource !== undefined) return { uuid, version, record, resource, claims };
  throw new MillraceError(
    "ERR_MILLRACE_STORE_CORRUPT",
    `The event source mapping ${uuid} is kept in a form that this version cannot read. Run the version that wrote it, or delete the mapping there.`,
  );
}

function resourceOf(uuid: string, record: MappingRecord, reading: RowReading): MappingResource | undefined {
  const { destinations, endpoints, place } = reading;
  const { spec, tags, folder, owner } = record;
  // What a caller of the API has said stays within bounds, also when manifests own it from then on.
  const isFree = owner.kind === "manifest" && owner.isAdopted === undefined;
  // plant: what-the-api-said-may-name-any-place-once-manifests-own-it
  const connectors = isFree ? (reading.manifestConnectors ?? reading.connectors) : reading.connectors;
  const placed = isFree ? spec : withEndpoints(spec, connectors, endpoints);
  return buildMappingSpec(
    record.name,
    { ...placed, uuid, tags },
    {
      connectors,
      ...(destinations === undefined ? {} : { destinations }),
      ...(folder === undefined ? {} : { folder }),
      place,
    },
  );
}

const specSchema = z.looseObject({ enabled: z.boolean(), tags: z.record(z.string(), z.string()) });
const overridesSchema = z.looseObject({ enabled: z.boolean().optional() }).optional();
const transitionSchema = z.enum(TRANSITIONS).optional();

function parseRecord(text: string): MappingRecord | undefined {
  const document = readDocument(text);
  if (document !== undefined) return recordOf(document);
  const former = formerDocument(text);
  const record = former && recordOf(former);
  if (record === undefined || record.transition !== undefined) return record;
  const { transition: _settled, ...settled } = record;
  return settled;
}

function recordOf(document: ResourceDocument): MappingRecord | undefined {
  const { name, owner, generation, lastModifiedMs, conditions, folder, setDigest } = document;
  const spec = specSchema.safeParse(document.spec);
  const transition = transitionSchema.safeParse(document.transition);
  const overrides = overridesSchema.safeParse(document.overrides);
  if (name === undefined || !spec.success || !transition.success || !overrides.success) return undefined;
  const { enabled, tags, ...fields } = spec.data;
  const override = overrides.data?.enabled;
  return {
    name,
    spec: fields,
    tags,
    isEnabled: override ?? enabled,
    ...(override === undefined ? {} : { declaresEnabled: enabled }),
    owner,
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(folder === undefined ? {} : { folder }),
    ...(setDigest === undefined ? {} : { setDigest }),
    transition: transition.data,
    generation,
    lastModifiedMs,
  };
}

/** What a mapping's row keeps; `undefined`: it is a tombstone, or of a form that this version cannot read. */
export function mappingDocument(text: string): ResourceDocument | undefined {
  return readDocument(text) ?? formerDocument(text);
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

function formerDocument(text: string): ResourceDocument | undefined {
  const former = parsedJson(text, formerSchema);
  if (former === undefined) return undefined;
  const { form: _form, isAdopted, isEnabled, spec, tags, transition, ...kept } = former;
  return {
    ...kept,
    form: 2,
    spec: { ...spec, tags, enabled: isEnabled },
    owner: { kind: "api", ...(isAdopted === undefined ? {} : { isAdopted }) },
    ...(transition === undefined ? {} : { transition }),
    conditions: [],
  };
}

/**
 * With the operator's endpoints that its source asks for. @throws ControlFault where they do not tell which source is
 * meant.
 */
export function withEndpoints(
  spec: Readonly<Record<string, unknown>>,
  connectors: readonly Connector[],
  endpoints: SourceEndpoints,
): Readonly<Record<string, unknown>> {
  const { endpoints: own, eventSourceArn } = spec;
  if (own !== undefined || eventSourceArn === undefined) return spec;
  const rivalry = endpointRivalry({ eventSourceArn, endpoints }, connectors);
  if (rivalry !== undefined)
    throw new ControlFault("InvalidParameterValueException", `${rivalry.message}. ${rivalry.remedy}.`);
  const connector = connectorOf({ eventSourceArn, endpoints }, connectors);
  const entries = Object.entries(endpoints).filter(([name]) => connector?.endpointNames.includes(name));
  return entries.length === 0 ? spec : { ...spec, endpoints: Object.fromEntries(entries) };
}
