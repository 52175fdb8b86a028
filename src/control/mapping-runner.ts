import type { Engine, MappingStatus } from "../engine/engine.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { creatingStatus } from "./creating-status.ts";
import type { Deployments, OpenMapping } from "./deployments.ts";

export interface MappingRunnerOptions {
  readonly engine: Engine;
  readonly deployments: Deployments;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry & {
    register(mapping: string): void;
    unregister(mapping: string): void;
  };
  /** What running invocations of a mapping may take when it is stopped. */
  readonly drainMs: number;
}

/** What a mapping is to be run as; another generation is another configuration. */
export interface WantedMapping {
  readonly generation: number;
  readonly resource: MappingResource;
  /** Asked once everything is open: by then the wish may be of no worth any more. */
  readonly mayStart: () => boolean;
}

/** A wish counts as carried out when the mapping has begun to poll, or at the latest after this. */
const START_MS_MAX = 10_000;
const START_POLL_MS = 20;
const REOPEN_MS_MIN = 1_000;
const REOPEN_MS_MAX = 60_000;

/**
 * Makes the engine of this process run what is wanted: opens, starts, drains, closes, one step of a mapping after the other
 * and no mapping waiting for another. What cannot be opened is tried again, later and later.
 */
export class MappingRunner {
  readonly #options: MappingRunnerOptions;
  readonly #runs = new Map<string, MappingRun>();

  constructor(options: MappingRunnerOptions) {
    this.#options = options;
  }

  /** Starts what was opened by the caller, and is wanted to the end. */
  begin(open: OpenMapping): void {
    const { uuid } = open.deployment.mapping;
    const run = new MappingRun(uuid, this.#options);
    this.#runs.set(uuid, run);
    run.begin(open);
  }

  /**
   * `undefined`: the mapping is to stop. Resolves when that was done: nothing of it is started any more, or it polls, or it
   * was tried to and `problemOf` says why not. Never rejects.
   */
  async want(uuid: string, wanted: WantedMapping | undefined): Promise<void> {
    let run = this.#runs.get(uuid);
    if (run === undefined) {
      if (wanted === undefined) return;
      run = new MappingRun(uuid, this.#options);
      this.#runs.set(uuid, run);
    }
    await run.want(wanted);
    if (run.isIdle && this.#runs.get(uuid) === run) this.#runs.delete(uuid);
  }

  /** Why a mapping that is wanted does not run. */
  problemOf(uuid: string): string | undefined {
    return this.#runs.get(uuid)?.problem;
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

class MappingRun {
  readonly #uuid: string;
  readonly #options: MappingRunnerOptions;
  #wanted: WantedMapping | undefined;
  #open: OpenMapping | undefined;
  #openGeneration = Number.NaN;
  #failures = 0;
  #retry: ScheduledCall | undefined;
  #isClosed = false;
  #steps: Promise<void> = Promise.resolve();
  problem: string | undefined;

  constructor(uuid: string, options: MappingRunnerOptions) {
    this.#uuid = uuid;
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#wanted === undefined && this.#open === undefined;
  }

  get unopened(): MappingStatus | undefined {
    if (this.#wanted === undefined || this.#open !== undefined) return undefined;
    const { name } = this.#wanted.resource.mapping;
    const { problem } = this;
    return { ...creatingStatus({ uuid: this.#uuid, name }), ...(problem === undefined ? {} : { problem }) };
  }

  begin(open: OpenMapping): void {
    this.#open = open;
    this.#options.telemetry.register(open.deployment.mapping.name);
    this.#options.engine.start(open.deployment);
  }

  want(wanted: WantedMapping | undefined): Promise<void> {
    const isKnown = wanted?.generation === this.#wanted?.generation;
    this.#wanted = wanted;
    // Its next attempt is planned, and a change of another mapping does not bring it forward.
    if (isKnown && this.problem !== undefined) return this.#steps;
    this.#failures = 0;
    return this.#next();
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
  }

  #next(): Promise<void> {
    this.#retry?.cancel();
    this.#steps = this.#steps.then(() => this.#step());
    return this.#steps;
  }

  async #step(): Promise<void> {
    if (this.#isClosed) return;
    const { telemetry } = this.#options;
    try {
      if (this.#open !== undefined && this.#wanted?.generation !== this.#openGeneration)
        await this.#stop(this.#open);
      if (this.#open === undefined && this.#wanted !== undefined) await this.#start(this.#wanted);
      this.problem = undefined;
    } catch (error) {
      this.problem = error instanceof MillraceError ? error.message : describeError(error);
      this.#failures += 1;
      const fields = {
        mapping: this.#wanted?.resource.mapping.name ?? this.#uuid,
        error: describeError(error),
      };
      telemetry.log("warn", "a mapping could not be started; trying again", fields);
      const { clock, random } = this.#options;
      const waitMs = Math.min(REOPEN_MS_MAX, REOPEN_MS_MIN * 2 ** (this.#failures - 1));
      this.#retry = clock.schedule(waitMs * (0.5 + random.next() / 2), () => void this.#next());
    }
  }

  async #stop(open: OpenMapping): Promise<void> {
    const { engine, drainMs, telemetry } = this.#options;
    const { name } = open.deployment.mapping;
    await engine.stopMapping(this.#uuid, drainMs);
    this.#open = undefined;
    for (const error of await open.close()) {
      telemetry.log("warn", "something could not be closed", { mapping: name, error });
    }
    if (this.#wanted === undefined) telemetry.unregister(name);
    telemetry.log("info", "mapping stopped", { mapping: name });
  }

  async #start({ resource, generation, mayStart }: WantedMapping): Promise<void> {
    const { engine, deployments, telemetry } = this.#options;
    const open = await deployments.open(resource);
    if (!this.#isStillWanted(generation) || !mayStart()) {
      await open.close();
      // The next step is on its way, unless nothing was changed: then it is tried again.
      if (!this.#isStillWanted(generation)) return;
      throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "The store of mappings is out of reach.");
    }
    this.#open = open;
    this.#openGeneration = generation;
    telemetry.register(resource.mapping.name);
    engine.start(open.deployment);
    await this.#polling(generation);
    telemetry.log("info", "mapping started", { mapping: resource.mapping.name });
  }

  #isStillWanted(generation: number): boolean {
    return !this.#isClosed && this.#wanted?.generation === generation;
  }

  /** A mapping at LATEST has its place once it polls: who then sees it Enabled finds what is sent from there on. */
  async #polling(generation: number): Promise<void> {
    const { clock, engine } = this.#options;
    const endMs = clock.monotonic() + START_MS_MAX;
    const isCreating = ({ uuid, state }: MappingStatus) => uuid === this.#uuid && state === "Creating";
    while (engine.status().some(isCreating) && clock.monotonic() < endMs && this.#isStillWanted(generation)) {
      await new Promise<void>((resolve) => clock.schedule(START_POLL_MS, resolve));
    }
  }
}
