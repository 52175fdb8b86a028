import type { Engine, MappingStatus } from "../engine/engine.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import { creatingStatus } from "./creating-status.ts";
import { isOfManifest } from "./mapping-record.ts";
import { withTrouble } from "./mapping-run.ts";
import type { MappingRunner } from "./mapping-runner.ts";
import { OUT_OF_REACH } from "./opening-trouble.ts";
import type { ProcessWatch } from "./process-watch.ts";
import type { Reconciler } from "./reconciler.ts";
import type { KnownMapping } from "./reconciler-options.ts";

export interface PlaneStatusOptions {
  readonly engine: Pick<Engine, "status">;
  readonly runner: Pick<MappingRunner, "troubleOf" | "unopened">;
  readonly reconciler: Pick<Reconciler, "known">;
  readonly watch: Pick<ProcessWatch, "standstills">;
  /** As they were read last. */
  readonly manifests: () => Manifests;
}

/** How the mappings of this process are, those that run and those that cannot. */
export class PlaneStatus {
  readonly #options: PlaneStatusOptions;

  constructor(options: PlaneStatusOptions) {
    this.#options = options;
  }

  /** The status of all that this process is to run. */
  all(): readonly MappingStatus[] {
    const started = this.#options.engine.status().map((status) => {
      // The engine knows best, once it has something to say.
      const isSilent = status.state === "Creating" && status.problem === undefined;
      return isSilent ? withTrouble(status, this.#options.runner.troubleOf(status.uuid)) : status;
    });
    const all = [...started, ...this.#options.runner.unopened()];
    const ofManifests = new Set(this.#ofManifests().map(({ uuid }) => uuid));
    return [...all, ...this.#outOfReach(all)].map((status) => {
      const standstills = this.#options.watch.standstills(status.uuid);
      return {
        ...status,
        ...(standstills.length === 0 ? {} : { standstills }),
        ...(ofManifests.has(status.uuid) ? { isFromManifest: true } : {}),
      };
    });
  }

  /** Before the rows were read: those that the manifests declare. */
  #ofManifests(): readonly NamedMapping[] {
    const { known } = this.#options.reconciler;
    if (known !== undefined) return known.filter(({ kept }) => isOfManifest(kept.record)).map(nameOf);
    return this.#options
      .manifests()
      .mappings.map(({ mapping }) => mapping)
      .filter(({ enabled }) => enabled);
  }

  /** What is to run and is not even tried: this process does not know the rows, or not any more. */
  #outOfReach(others: readonly MappingStatus[]): readonly MappingStatus[] {
    const { known } = this.#options.reconciler;
    const uuids = new Set(others.map(({ uuid }) => uuid));
    const wanted = known?.filter(({ isToRun }) => isToRun).map(nameOf) ?? this.#ofManifests();
    const trouble = known === undefined ? undefined : OUT_OF_REACH;
    return wanted
      .filter(({ uuid }) => !uuids.has(uuid))
      .map((mapping) => withTrouble(creatingStatus(mapping), trouble));
  }
}

type NamedMapping = Parameters<typeof creatingStatus>[0];

function nameOf({ kept: { uuid, record } }: KnownMapping): NamedMapping {
  return { uuid, name: record.name };
}
