import { isDeepStrictEqual } from "node:util";
import type { MappingStatus } from "../engine/engine.ts";
import { checkMappingSpec } from "../manifests/mapping-spec.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { hasErrorCode } from "../model/errors.ts";
import { MAPPINGS_MAX, RESOURCE_DOCUMENT_CHARS_MAX } from "../model/limits.ts";
import type { Place } from "../model/place.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { Random } from "../ports/random.ts";
import type {
  ResourceRow,
  ResourceStore,
  RowConflict,
  RowStale,
  RowWritten,
} from "../ports/resource-store.ts";
import { MAPPING_KIND } from "../resources/kinds.ts";
import { ControlFault, inUse, notFound, ownedByOther, specFault } from "./control-fault.ts";
import type { Deployments } from "./deployments.ts";
import { findNamed } from "./find-named.ts";
import { checkFunction } from "./function-check.ts";
import { conflictOf, takenBy } from "./mapping-claims.ts";
import {
  isOrphan,
  type KeptMapping,
  type MappingRecord,
  mappingDocument,
  readRow,
  rowOf,
  type Transition,
  withEndpoints,
} from "./mapping-record.ts";
import { isWithin, type MappingView, MappingViews } from "./mapping-view.ts";
import { probeSource } from "./source-probe.ts";

/** What an API call gives of a mapping: lower-camel fields of a manifest's `spec`, unchecked. */
export type GivenSpec = Readonly<Record<string, unknown>>;

export interface MappingControlOptions {
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly connectors: readonly Connector[];
  readonly destinations?: readonly DestinationKind[];
  readonly endpoints: SourceEndpoints;
  readonly place: Place;
  readonly deployments: Deployments;
  readonly status: () => readonly MappingStatus[];
  /** Called after a change, so that it is carried out at once. */
  readonly onChange: () => void;
}

/**
 * Lambda's operations on event source mappings, on the rows of the store (streams §1).
 * @throws ControlFault in AWS's words; MillraceError ERR_MILLRACE_STORE_UNAVAILABLE.
 */
export class MappingControl {
  readonly #options: MappingControlOptions;
  readonly #views: MappingViews;

  constructor(options: MappingControlOptions) {
    this.#options = options;
    this.#views = new MappingViews(options);
  }

  async create(
    given: GivenSpec,
    isEnabled: boolean,
    tags: Readonly<Record<string, string>>,
  ): Promise<MappingView> {
    const { store, random, clock } = this.#options;
    const uuid = random.uuid();
    const resource = this.#check(uuid, given);
    checkFunction(resource, this.#options.deployments.functions);
    const rows = await store.list([MAPPING_KIND]);
    this.#checkDistinct(uuid, resource, rows);
    if (rows.filter((row) => !isManifests(row)).length >= MAPPINGS_MAX) {
      const message = `There are ${MAPPINGS_MAX} event source mappings, which is the most.`;
      throw new ControlFault("InvalidParameterValueException", message);
    }
    await this.#probe(resource);
    // AWS shows a queue's mapping that is not enabled as settled at once (streams §1.5).
    const isSettled = !isEnabled && resource.kind === "queue";
    const record: MappingRecord = {
      name: uuid,
      spec: { ...given },
      tags: { ...tags },
      isEnabled,
      owner: { kind: "api" },
      ...(isSettled ? {} : { transition: "Creating" }),
      generation: 1,
      lastModifiedMs: clock.now(),
    };
    const written = await this.#write(uuid, record, undefined);
    if (written.kind === "conflict") throw takenBy(resource, written.uid);
    return this.#views.ofKept({ uuid, version: 0, record, resource });
  }

  async get(uuid: string): Promise<MappingView> {
    return this.#views.ofKept(await this.#kept(uuid));
  }

  /**
   * The UUID of the mapping with this name or UUID, or of the only one whose name or UUID begins so.
   * @throws ControlFault ResourceNotFoundException, InvalidParameterValueException where several begin so
   */
  async uuidNamed(nameOrUuid: string): Promise<string> {
    const mappings = (await this.list({})).map(({ resource }) => resource.mapping);
    return findNamed(nameOrUuid, mappings).uuid;
  }

  /** One has exactly this name or UUID. @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
  async has(nameOrUuid: string): Promise<boolean> {
    const lower = nameOrUuid.toLowerCase();
    const mappings = (await this.list({})).map(({ resource }) => resource.mapping);
    return mappings.some(({ uuid, name }) => uuid === lower || name === nameOrUuid);
  }

  /** In the order of their UUIDs. A filter that names nothing gives an empty list. */
  async list(filter: { eventSourceArn?: string; functionName?: string }): Promise<readonly MappingView[]> {
    const rows = await this.#options.store.list([MAPPING_KIND]);
    return rows
      .flatMap((row) => this.#readable(row))
      .map((kept) => this.#views.ofKept(kept))
      .filter(({ resource }) => isWithin(resource, filter))
      .toSorted((a, b) => (a.resource.mapping.uuid < b.resource.mapping.uuid ? -1 : 1));
  }

  /** `changes` replace whole fields; a field that is `undefined` in it is removed. */
  async update(uuid: string, changes: GivenSpec, isEnabled: boolean | undefined): Promise<MappingView> {
    const kept = await this.#kept(uuid);
    const { record, version, resource: before } = kept;
    const spec = merged(record.spec, changes);
    if (record.owner.kind !== "api") {
      const isOperation = isEnabled !== undefined && isDeepStrictEqual(spec, record.spec);
      // plant: the-api-edits-what-a-manifest-owns
      if (!isOperation) throw ownedByOther(record.name, record.owner);
      return this.#enableBeside(kept, isEnabled);
    }
    const resource = this.#check(uuid, spec, record.name);
    checkFunction(resource, this.#options.deployments.functions);
    if (record.transition !== undefined) throw inUse("update");
    if (spec["functionName"] !== record.spec["functionName"])
      this.#checkDistinct(uuid, resource, await this.#options.store.list([MAPPING_KIND]));
    if (resource.kind === "queue" && resource.functionName !== before.functionName)
      await this.#probe(resource);
    const next: MappingRecord = {
      ...record,
      spec,
      isEnabled: isEnabled ?? record.isEnabled,
      transition: transitionOf(record.isEnabled, isEnabled ?? record.isEnabled),
      generation: record.generation + 1,
      lastModifiedMs: this.#options.clock.now(),
    };
    const written = await this.#write(uuid, next, version);
    if (written.kind === "conflict") throw takenBy(resource, written.uid);
    if (written.kind === "stale") throw inUse("update");
    return this.#views.ofKept({ uuid, version, record: next, resource });
  }

  /** To run or not is operation: it is kept beside what the owner declared, until that says otherwise anew. */
  async #enableBeside(kept: KeptMapping, isEnabled: boolean): Promise<MappingView> {
    const { uuid, version, record } = kept;
    if (record.transition !== undefined) throw inUse("update");
    const { declaresEnabled = record.isEnabled, ...rest } = record;
    const next: MappingRecord = {
      ...rest,
      isEnabled,
      ...(declaresEnabled === isEnabled ? {} : { declaresEnabled }),
      transition: transitionOf(record.isEnabled, isEnabled),
      lastModifiedMs: this.#options.clock.now(),
    };
    const written = await this.#write(uuid, next, version);
    if (written.kind !== "written") throw inUse("update");
    return this.#views.ofKept({ ...kept, record: next });
  }

  async remove(uuid: string): Promise<MappingView> {
    const kept = await this.#kept(uuid);
    const { record, version } = kept;
    if (record.owner.kind !== "api") throw ownedByOther(record.name, record.owner);
    if (record.transition !== undefined) throw inUse("delete");
    const next: MappingRecord = {
      ...record,
      transition: "Deleting",
      lastModifiedMs: this.#options.clock.now(),
    };
    const written = await this.#write(uuid, next, version);
    if (written.kind !== "written") throw inUse("delete");
    return this.#views.ofKept({ ...kept, record: next });
  }

  /** Changes tags only: nothing restarts. @throws ControlFault also when there would be more than 50. */
  async changeTags(
    uuid: string,
    change: (tags: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ): Promise<void> {
    const { record, version } = await this.#kept(uuid);
    if (record.owner.kind !== "api") throw ownedByOther(record.name, record.owner);
    const tags = { ...change(record.tags) };
    const written = await this.#write(uuid, { ...record, tags }, version);
    if (written.kind !== "written") throw inUse("update");
  }

  #check(uuid: string, given: GivenSpec, name = uuid): MappingResource {
    const { connectors, endpoints, clock } = this.#options;
    const spec = withEndpoints(given, connectors, endpoints);
    const checked = checkMappingSpec(name, { ...spec, uuid }, { ...this.#options, nowMs: clock.now() });
    if (checked.kind === "invalid") throw specFault(checked.faults, given);
    return checked.resource;
  }

  /** The store's own claims stop who writes at the same moment; this says it in AWS's words. */
  #checkDistinct(uuid: string, resource: MappingResource, rows: readonly ResourceRow[]): void {
    const others = rows.filter(({ uid }) => uid !== uuid).map(({ uid, claims }) => ({ uuid: uid, claims }));
    const rival = conflictOf(resource, others);
    if (rival !== undefined) throw rival;
  }

  async #probe(resource: MappingResource): Promise<void> {
    const { clock, deployments } = this.#options;
    const fault = await probeSource(resource, deployments.functions, clock);
    if (fault !== undefined) throw fault;
  }

  async #kept(uuid: string): Promise<KeptMapping> {
    const row = await this.#options.store.get(uuid);
    const kept = row && readRow(row, this.#options);
    // plant: an-orphan-is-changed-by-the-api
    if (kept === undefined || isOrphan(kept.record)) throw notFound();
    return kept;
  }

  #readable(row: ResourceRow): KeptMapping[] {
    try {
      const kept = readRow(row, this.#options);
      return kept === undefined || isOrphan(kept.record) ? [] : [kept];
    } catch {
      // The reconciler has logged it.
      return [];
    }
  }

  /** A reply that was lost is made up for by reading back: what stands there as written was written. */
  async #write(
    uuid: string,
    record: MappingRecord,
    seenVersion: number | undefined,
  ): Promise<RowWritten | RowConflict | RowStale> {
    const { store, onChange } = this.#options;
    const row = rowOf(uuid, record, this.#options.connectors);
    if (row.document.length > RESOURCE_DOCUMENT_CHARS_MAX) {
      throw new ControlFault("InvalidParameterValueException", "The event source mapping is too large.");
    }
    try {
      return await (seenVersion === undefined ? store.insert(row) : store.replace(row, seenVersion));
    } catch (error) {
      if (!hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE")) throw error;
      const now = await store.get(uuid);
      if (now === undefined || now.version === seenVersion || now.document !== row.document) throw error;
      return { kind: "written", version: now.version };
    } finally {
      onChange();
    }
  }
}

function isManifests({ document }: ResourceRow): boolean {
  return mappingDocument(document)?.owner.kind === "manifest";
}

function transitionOf(wasEnabled: boolean, isEnabled: boolean): Transition {
  if (wasEnabled === isEnabled) return "Updating";
  return isEnabled ? "Enabling" : "Disabling";
}

function merged(spec: GivenSpec, changes: GivenSpec): Record<string, unknown> {
  const entries = Object.entries({ ...spec, ...changes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}
