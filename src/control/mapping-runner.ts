import type { MappingStatus } from "../engine/engine.ts";
import type { MappingResource } from "../manifests/resources.ts";
import type { OpenMapping } from "./deployments.ts";
import { MappingRun, type MappingRunnerOptions, type WantedMapping } from "./mapping-run.ts";
import type { OpeningTrouble } from "./opening-trouble.ts";

/**
 * Makes the engine of this process run what is wanted: opens, starts, drains, closes, one step of a mapping after the
 * other and no mapping waiting for another.
 */
export class MappingRunner {
  readonly #options: MappingRunnerOptions;
  readonly #runs = new Map<string, MappingRun>();

  constructor(options: MappingRunnerOptions) {
    this.#options = options;
  }

  /** Starts what was opened by the caller, and is wanted to the end. */
  begin(open: OpenMapping, wanted: WantedMapping): void {
    const { uuid } = open.deployment.mapping;
    const run = new MappingRun(uuid, this.#options);
    this.#runs.set(uuid, run);
    run.begin(open, wanted);
  }

  /**
   * `undefined`: the mapping is to stop. Resolves when that was done: nothing of it is started any more, or it polls,
   * or it was tried to and `problemOf` says why not. `isCutOff`: others may soon count on it that nothing of it starts
   * here any more. Never rejects.
   */
  async want(uuid: string, wanted: WantedMapping | undefined, isCutOff = false): Promise<void> {
    let run = this.#runs.get(uuid);
    if (run === undefined) {
      if (wanted === undefined) return;
      run = new MappingRun(uuid, this.#options);
      this.#runs.set(uuid, run);
    }
    await run.want(wanted, isCutOff);
    if (run.isIdle && this.#runs.get(uuid) === run) this.#runs.delete(uuid);
  }

  /** Something was repaired, perhaps: what could not be opened is tried again at once. */
  hurry(): void {
    for (const run of this.#runs.values()) run.hurry();
  }

  /** Why a mapping that is wanted does not run. */
  troubleOf(uuid: string): OpeningTrouble | undefined {
    return this.#runs.get(uuid)?.trouble;
  }

  /** What a mapping is to be run as; `undefined`: it is not wanted. */
  resourceOf(uuid: string): MappingResource | undefined {
    return this.#runs.get(uuid)?.resource;
  }

  /** Mappings that are wanted and that the engine does not have: they are being opened, or cannot be. */
  unopened(): readonly MappingStatus[] {
    return [...this.#runs.values()].flatMap((run) => run.unopened ?? []);
  }

  /** Nothing more is started; what runs is the engine's to stop. */
  close(): void {
    for (const run of this.#runs.values()) run.close();
  }
}
