import type { Engine, MappingStatus } from "../engine/engine.ts";
import { Door } from "../invocation/door.ts";
import type { InvokerBook } from "../invocation/invoker-book.ts";
import { SharedLimits } from "../invocation/shared-limits.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import type { FunctionResource, MappingResource } from "../manifests/resources.ts";
import type { NetworkReach } from "../model/network-reach.ts";
import type { Place } from "../model/place.ts";
import type { CellStore } from "../ports/cell-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { Invoker } from "../ports/invoker.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { Random } from "../ports/random.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import type { SnapshotStore } from "../ports/snapshot-store.ts";
import { MAPPING_KIND } from "../resources/kinds.ts";
import type { ManifestOwner } from "../resources/owner.ts";
import { adoptedRecord } from "./adopted-record.ts";
import { withinReach } from "./broker-reach.ts";
import { declareFunctions } from "./declared-functions.ts";
import type { Deployments } from "./deployments.ts";
import type { ExplainedMappingWithText } from "./explain-mapping.ts";
import { FailureControl, type FailureParts } from "./failure-control.ts";
import type { FunctionBook } from "./function-book.ts";
import { claimsOf } from "./mapping-claims.ts";
import { MappingControl } from "./mapping-control.ts";
import { rowOf } from "./mapping-record.ts";
import { type MappingRunnerOptions, withTrouble } from "./mapping-run.ts";
import { MappingRunner } from "./mapping-runner.ts";
import type { OwnSnapshotOptions } from "./own-snapshot.ts";
import { ownedWish } from "./owned-wish.ts";
import { ProcessWatch } from "./process-watch.ts";
import { Reconciler } from "./reconciler.ts";
import { ResourceControl } from "./resource-control.ts";
import type { WholeView } from "./whole-view.ts";

export interface ControlPlaneOptions extends Pick<MappingRunnerOptions, "engine" | "drainMs"> {
  readonly telemetry: MappingRunnerOptions["telemetry"] & Pick<OwnSnapshotOptions, "totals">;
  readonly engine: Engine;
  readonly processId: string;
  readonly manifests: Manifests;
  readonly deployments: Deployments;
  /** Where processes of the store share functions' concurrency. */
  readonly cells: CellStore;
  /** Where processes of the store say how they are. */
  readonly snapshots: SnapshotStore;
  readonly failures: FailureParts;
  /** Those that `deployments` has too. */
  readonly functionBook: FunctionBook;
  /** As whose declarations the functions of the manifests are kept. */
  readonly owner: ManifestOwner;
  /** Those that the engine has too. */
  readonly invokers: InvokerBook;
  readonly store: ResourceStore;
  readonly progress: ProgressStore;
  readonly connectors: readonly Connector[];
  readonly destinations?: readonly DestinationKind[];
  /** The operator's, for sources of mappings that the API makes. */
  readonly endpoints: SourceEndpoints;
  /** Where functions and mappings are, wherever their ARNs are shown. */
  readonly place: Place;
  /** Where sources may be that callers of the API name by their addresses. */
  readonly reach: NetworkReach;
  /** Manifests' mappings become the API's. */
  readonly isAdopting: boolean;
  /** A start with a mapping of a manifest that cannot be opened fails, and with it all others. */
  readonly isStrict: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * What is run by this process, and by whose word: manifests' mappings, which only manifests change, and the store's.
 */
export class ControlPlane {
  readonly mappings: MappingControl;
  /** Rows of functions. */
  readonly resources: ResourceControl;
  readonly failures: FailureControl;
  readonly place: Place;
  readonly connectors: readonly Connector[];
  /** For all who call a function by its name. */
  readonly door: Invoker;
  readonly #functions: FunctionBook;
  readonly #limits: SharedLimits;
  readonly #reconciler: Reconciler;
  readonly #runner: MappingRunner;
  readonly #engine: Engine;
  readonly #watch: ProcessWatch;
  readonly #options: ControlPlaneOptions;
  /** Mappings that manifests own. */
  #owned: readonly MappingResource[];

  private constructor(options: ControlPlaneOptions, manifestMappings: readonly MappingResource[]) {
    const { engine, deployments, functionBook, store, clock, random, endpoints, place } = options;
    this.connectors = withinReach(options.connectors, options.reach);
    const { connectors } = this;
    this.#functions = functionBook;
    this.door = new Door(functionBook, options.invokers, clock, options.telemetry);
    this.place = place;
    this.#engine = engine;
    this.#options = options;
    this.#owned = manifestMappings;
    this.#runner = new MappingRunner(options);
    this.#reconciler = new Reconciler({
      ...options,
      connectors,
      runner: this.#runner,
      functions: functionBook,
      owned: () => this.#owned,
    });
    const { membership } = this.#reconciler;
    this.#watch = new ProcessWatch({
      ...options,
      totals: (mapping) => options.telemetry.totals(mapping),
      errors: (mapping) => options.invokers.errors.of(mapping),
      status: () => this.status(),
      resourceOf: (uuid) => this.#runner.resourceOf(uuid),
      beatsAs: () => membership.processId,
      beat: (name) => this.#reconciler.beats.standingOf(name),
    });
    this.#limits = new SharedLimits({ ...options, membership });
    options.invokers.share(this.#limits);
    this.resources = new ResourceControl({ store, clock, onChange: () => this.#reconciler.wake() });
    this.mappings = new MappingControl({
      ...(options.destinations === undefined ? {} : { destinations: options.destinations }),
      store,
      clock,
      random,
      connectors,
      endpoints,
      place,
      deployments,
      manifestMappings: () => this.#owned,
      status: () => this.status(),
      onChange: () => this.#reconciler.wake(),
    });
    this.failures = new FailureControl({ ...options.failures, mappings: this.mappings, clock });
  }

  /**
   * Starts manifests' mappings and those of the store. What cannot be opened is tried again, and neither ends nor
   * delays any other (I27). Resolves before they are open: `status` says how each of them is.
   * @throws MillraceError when strict, with all of the manifests that could not be opened.
   */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { manifests } = options;
    await declareFunctions(options);
    if (options.isAdopting) await adopt(options);
    const owned = await manifestOwned(options);
    const plane = new ControlPlane(options, owned);
    await plane.#startOwned(owned, options);
    const left = manifests.mappings.length - owned.length;
    if (left > 0)
      options.telemetry.log("info", "mappings of manifests are owned by the API", { mappings: left });
    await plane.#reconciler.start();
    plane.#watch.start();
    return plane;
  }

  /** By kind: resources that are not as their owners declared them, as the last look has it. */
  drifted(): ReadonlyMap<string, number> {
    return this.#reconciler.drifted;
  }

  /**
   * Why it is where it is; with texts of its function for who may `inspect`.
   * @throws ControlFault ResourceNotFoundException, MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
   */
  async explain(
    uuid: string,
    part: string | undefined,
    { inspect } = { inspect: false },
  ): Promise<ExplainedMappingWithText> {
    return this.#watch.explain(await this.mappings.get(uuid), part, inspect);
  }

  /** What all processes of the store say. `isPatient`: waits a little for those that live to say it anew. */
  everywhere(isPatient: boolean): Promise<WholeView> {
    return this.#watch.everywhere(isPatient);
  }

  /** The functions that rows declare. */
  get functions(): readonly FunctionResource[] {
    return this.#functions.functions;
  }

  /** The status of all that this process is to run. */
  status(): readonly MappingStatus[] {
    const started = this.#engine.status().map((status) => {
      // The engine knows best, once it has something to say.
      const isSilent = status.state === "Creating" && status.problem === undefined;
      return isSilent ? withTrouble(status, this.#runner.troubleOf(status.uuid)) : status;
    });
    const manifestUuids = new Set(this.#owned.map(({ mapping }) => mapping.uuid));
    return [...started, ...this.#runner.unopened()].map((status) => {
      const standstills = this.#watch.standstills(status.uuid);
      return {
        ...status,
        ...(standstills.length === 0 ? {} : { standstills }),
        ...(manifestUuids.has(status.uuid) ? { isFromManifest: true } : {}),
      };
    });
  }

  /**
   * Applies manifests that were read again: only what differs is stopped, started or opened anew (I42).
   * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
   */
  async reload(manifests: Manifests): Promise<void> {
    const options = { ...this.#options, manifests };
    await declareFunctions(options);
    if (options.isAdopting) await adopt(options);
    const owned = await manifestOwned(options);
    const runs = new Set(owned.filter(({ mapping }) => mapping.enabled).map(({ mapping }) => mapping.uuid));
    const unwanted = this.#owned.filter(({ mapping }) => !runs.has(mapping.uuid));
    this.#owned = owned;
    await this.#reconciler.leaveOwned(unwanted);
    this.#reconciler.wantOwned();
    this.#reconciler.wake();
  }

  /** What these functions are made of is another: their next call has it. Never rejects. */
  async reopen(functionNames: readonly string[]): Promise<void> {
    this.#runner.hurry();
    await this.#functions.reopen(functionNames);
  }

  async #startOwned(
    owned: readonly MappingResource[],
    { isStrict, deployments, functionBook }: ControlPlaneOptions,
  ): Promise<void> {
    const enabled = owned.filter(({ mapping }) => mapping.enabled);
    // plant: a-mapping-of-a-manifest-that-cannot-be-opened-ends-the-start-of-all
    if (isStrict) {
      for (const [index, open] of (await deployments.openAll(enabled)).entries()) {
        const resource = enabled[index];
        if (resource !== undefined) this.#runner.begin(open, ownedWish(resource, functionBook));
      }
      return;
    }
    for (const resource of enabled) {
      const wanted = ownedWish(resource, functionBook);
      // plant: mappings-of-manifests-are-opened-one-after-the-other
      void this.#runner.want(resource.mapping.uuid, wanted);
    }
  }

  /** Starts nothing more. What runs is the engine's to stop. */
  async stop(): Promise<void> {
    this.#watch.stop();
    this.#runner.close();
    await Promise.all([this.failures.close(), this.#reconciler.stop()]);
  }

  /** After the engine has stopped: others need not wait for this process. */
  async forget(): Promise<void> {
    await this.#watch.end();
    await this.#limits.close();
    await this.#reconciler.forget();
  }
}

/**
 * A mapping that was adopted once is the store's, whatever flags say now, also when it was deleted there: two owners,
 * or a mapping that comes back at every start, would process everything twice.
 */
async function manifestOwned({
  manifests,
  store,
  connectors,
}: ControlPlaneOptions): Promise<readonly MappingResource[]> {
  const rows = await store.list([MAPPING_KIND]);
  const uuids = new Set(rows.map(({ uid }) => uid));
  const claims = new Set(rows.flatMap((row) => row.claims));
  return manifests.mappings.filter(
    ({ mapping, spec }) =>
      !uuids.has(mapping.uuid) && !claimsOf(spec, connectors).some((claim) => claims.has(claim)),
  );
}

async function adopt(options: ControlPlaneOptions): Promise<void> {
  const { manifests, store, telemetry, connectors } = options;
  for (const resource of manifests.mappings) {
    const { uuid, name } = resource.mapping;
    const written = await store.insert(rowOf(uuid, adoptedRecord(resource, options), connectors));
    if (written.kind === "written") telemetry.log("info", "mapping adopted", { mapping: name });
  }
}
