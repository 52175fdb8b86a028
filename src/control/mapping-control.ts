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
import { ControlFault, inUse, notFound, ownedByManifest, specFault } from "./control-fault.ts";
import type { Deployments } from "./deployments.ts";
import { checkFunction } from "./function-check.ts";
import { type Claimant, claimsOf, conflictOf, takenBy } from "./mapping-claims.ts";
import {
  type KeptMapping,
  type MappingRecord,
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
  /** Mappings that manifests own. */
  readonly manifestMappings: () => readonly MappingResource[];
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
    this.#views = new MappingViews({ ...options, startedMs: options.clock.now() });
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
    if (rows.length >= MAPPINGS_MAX) {
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
    const manifest = await this.#manifestMapping(uuid);
    return manifest === undefined
      ? this.#views.ofKept(await this.#kept(uuid))
      : this.#views.ofManifest(manifest);
  }

  /** The UUID of the mapping with this name or UUID. @throws ControlFault ResourceNotFoundException */
  async uuidNamed(nameOrUuid: string): Promise<string> {
    const wanted = nameOrUuid.toLowerCase();
    const found = (await this.list({})).find(
      ({ resource: { mapping } }) => mapping.uuid === wanted || mapping.name === nameOrUuid,
    );
    if (found === undefined) throw notFound();
    return found.resource.mapping.uuid;
  }

  /** In the order of their UUIDs. A filter that names nothing gives an empty list. */
  async list(filter: { eventSourceArn?: string; functionName?: string }): Promise<readonly MappingView[]> {
    const rows = await this.#options.store.list([MAPPING_KIND]);
    const views = [
      ...this.#ofManifests(rows).map((resource) => this.#views.ofManifest(resource)),
      ...rows.flatMap((row) => this.#readable(row)).map((kept) => this.#views.ofKept(kept)),
    ];
    return views
      .filter(({ resource }) => isWithin(resource, filter))
      .toSorted((a, b) => (a.resource.mapping.uuid < b.resource.mapping.uuid ? -1 : 1));
  }

  /** `changes` replace whole fields; a field that is `undefined` in it is removed. */
  async update(uuid: string, changes: GivenSpec, isEnabled: boolean | undefined): Promise<MappingView> {
    if ((await this.#manifestMapping(uuid)) !== undefined) throw ownedByManifest();
    const { record, version, resource: before } = await this.#kept(uuid);
    const spec = merged(record.spec, changes);
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

  async remove(uuid: string): Promise<MappingView> {
    if ((await this.#manifestMapping(uuid)) !== undefined) throw ownedByManifest();
    const kept = await this.#kept(uuid);
    const { record, version } = kept;
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
    if ((await this.#manifestMapping(uuid)) !== undefined) throw ownedByManifest();
    const { record, version } = await this.#kept(uuid);
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

  /** The store's own claims stop who writes at the same moment; those of manifests stand in no row. */
  #checkDistinct(uuid: string, resource: MappingResource, rows: readonly ResourceRow[]): void {
    const kept = rows.map(({ uid, claims }) => ({ uuid: uid, claims }));
    const others = [...this.#manifestClaims(rows), ...kept].filter((other) => other.uuid !== uuid);
    const rival = conflictOf(resource, others);
    if (rival !== undefined) throw rival;
  }

  async #probe(resource: MappingResource): Promise<void> {
    const { clock, deployments } = this.#options;
    const fault = await probeSource(resource, deployments.functions, clock);
    if (fault !== undefined) throw fault;
  }

  /** Those that no process has adopted meanwhile. */
  #ofManifests(rows: readonly ResourceRow[]): readonly MappingResource[] {
    const uuids = new Set(rows.map(({ uid }) => uid));
    return this.#options.manifestMappings().filter(({ mapping }) => !uuids.has(mapping.uuid));
  }

  #manifestClaims(rows: readonly ResourceRow[]): readonly Claimant[] {
    return this.#ofManifests(rows).map(({ mapping, spec }) => ({
      uuid: mapping.uuid,
      claims: claimsOf(spec, this.#options.connectors),
    }));
  }

  async #manifestMapping(uuid: string): Promise<MappingResource | undefined> {
    const found = this.#options.manifestMappings().find(({ mapping }) => mapping.uuid === uuid);
    if (found === undefined) return undefined;
    return (await this.#options.store.get(uuid)) === undefined ? found : undefined;
  }

  async #kept(uuid: string): Promise<KeptMapping> {
    const row = await this.#options.store.get(uuid);
    const kept = row && readRow(row, this.#options);
    if (kept === undefined) throw notFound();
    return kept;
  }

  #readable(row: ResourceRow): KeptMapping[] {
    try {
      const kept = readRow(row, this.#options);
      return kept === undefined ? [] : [kept];
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

function transitionOf(wasEnabled: boolean, isEnabled: boolean): Transition {
  if (wasEnabled === isEnabled) return "Updating";
  return isEnabled ? "Enabling" : "Disabling";
}

function merged(spec: GivenSpec, changes: GivenSpec): Record<string, unknown> {
  const entries = Object.entries({ ...spec, ...changes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}
