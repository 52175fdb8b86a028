import type { Engine, MappingStatus } from "../engine/engine.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { MillraceError } from "../model/errors.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { creatingStatus } from "./creating-status.ts";
import type { Deployments, OpenMapping } from "./deployments.ts";
import { type OpeningTrouble, troubleOf } from "./opening-trouble.ts";
import { CUT_OFF_MS, GONE_MS } from "./process-life.ts";

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
  readonly generation: string;
  readonly resource: MappingResource;
  /** Asked once everything is open: by then the wish may be of no worth any more. */
  readonly mayStart: () => boolean;
}

/** A wish counts as carried out when the mapping has begun to poll, or at the latest after this. */
const START_MS_MAX = 10_000;
const START_POLL_MS = 20;
const REOPEN_MS_MIN = 1_000;
/** What is repaired works within ten seconds, also when nobody tells us of the repair. */
// plant: what-cannot-be-opened-is-looked-at-later-and-later-without-a-bound
const REOPEN_MS_MAX = 8_000;
/** An opening that hangs is given up, so that the next one can find what was repaired meanwhile. */
// plant: an-opening-that-hangs-is-waited-for-for-ever
const OPEN_MS_MAX = 30_000;
/** A trouble that stays as it is is told again so often, and not at every try. */
const TELL_AGAIN_MS = 600_000;

/** A queue's messages in hand may start so long after a cut-off: others wait for a process as long, and longer. */
const CUT_OFF_STARTS_MS = (GONE_MS - CUT_OFF_MS) / 2;

/** One mapping: its steps come one after the other, and what cannot be opened is tried again, later and later. */
export class MappingRun {
  readonly #uuid: string;
  readonly #options: MappingRunnerOptions;
  #wanted: WantedMapping | undefined;
  #open: OpenMapping | undefined;
  #openGeneration: string | undefined;
  #failures = 0;
  #isCutOff = false;
  #retry: ScheduledCall | undefined;
  #isClosed = false;
  #steps: Promise<void> = Promise.resolve();
  trouble: OpeningTrouble | undefined;
  #told: { readonly text: string; readonly atMs: number } | undefined;

  constructor(uuid: string, options: MappingRunnerOptions) {
    this.#uuid = uuid;
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#wanted === undefined && this.#open === undefined;
  }

  get resource(): MappingResource | undefined {
    return this.#wanted?.resource;
  }

  get unopened(): MappingStatus | undefined {
    if (this.#wanted === undefined || this.#open !== undefined) return undefined;
    const { name } = this.#wanted.resource.mapping;
    return withTrouble(creatingStatus({ uuid: this.#uuid, name }), this.trouble);
  }

  begin(open: OpenMapping, wanted: WantedMapping): void {
    this.#open = open;
    this.#wanted = wanted;
    this.#openGeneration = wanted.generation;
    this.#options.telemetry.register(open.deployment.mapping.name);
    this.#options.engine.start(open.deployment);
  }

  want(wanted: WantedMapping | undefined, isCutOff: boolean): Promise<void> {
    const isKnown = wanted?.generation === this.#wanted?.generation;
    this.#isCutOff = isCutOff;
    if (this.#open !== undefined && wanted?.generation !== this.#openGeneration)
      this.#options.engine.expectStop(this.#uuid);
    this.#wanted = wanted;
    // Its next attempt is planned, and a change of another mapping does not bring it forward.
    if (isKnown && this.trouble !== undefined) return this.#steps;
    this.#failures = 0;
    const hasToStop = this.#open !== undefined;
    const { stopped, done } = this.#next();
    // Once nothing of it runs nobody has to wait for it: what hangs in its opening may hold up no other mapping's
    // change.
    return hasToStop
      ? stopped.then(() => this.#orAfter(START_MS_MAX, done))
      : this.#orAfter(START_MS_MAX, done);
  }

  /** Its next attempt, when one is planned, comes now. */
  hurry(): void {
    if (this.#isClosed || this.trouble === undefined) return;
    this.#failures = 0;
    this.#next();
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
  }

  #next(): { readonly stopped: Promise<void>; readonly done: Promise<void> } {
    this.#retry?.cancel();
    const stopped = this.#steps.then(() => this.#try(() => this.#stopUnwanted()));
    this.#steps = stopped.then(() => this.#try(() => this.#startWanted()));
    return { stopped, done: this.#steps };
  }

  async #try(step: () => Promise<void>): Promise<void> {
    if (this.#isClosed) return;
    try {
      await step();
    } catch (error) {
      this.#failed(troubleOf(error));
    }
  }

  async #stopUnwanted(): Promise<void> {
    const isAsWanted = this.#wanted?.generation === this.#openGeneration;
    if (this.#open !== undefined && !isAsWanted) await this.#stop(this.#open);
  }

  async #startWanted(): Promise<void> {
    if (this.#open !== undefined) return;
    if (this.#wanted !== undefined) await this.#start(this.#wanted);
    // Nothing is wanted any more, or something else, which is on its way.
    if (this.#open === undefined) this.trouble = undefined;
  }

  #failed(trouble: OpeningTrouble): void {
    const { clock, random } = this.#options;
    this.trouble = trouble;
    this.#failures += 1;
    this.#tell(trouble);
    const waitMs = Math.min(REOPEN_MS_MAX, REOPEN_MS_MIN * 2 ** (this.#failures - 1));
    // plant: a-source-that-could-not-be-opened-is-not-tried-again
    this.#retry = clock.schedule(waitMs * (0.5 + random.next() / 2), () => void this.#next());
  }

  /** Once, and again when it has become another trouble or stays for long. */
  #tell({ text, isPassing }: OpeningTrouble): void {
    const { clock, telemetry } = this.#options;
    const atMs = clock.monotonic();
    if (this.#told?.text === text && atMs - this.#told.atMs < TELL_AGAIN_MS) return;
    this.#told = { text, atMs };
    const fields = { mapping: this.#wanted?.resource.mapping.name ?? this.#uuid, error: text };
    const message = isPassing
      ? "a mapping could not be started; trying again"
      : "a mapping cannot be started until something is changed; looking again every few seconds";
    telemetry.log(isPassing ? "warn" : "error", message, fields);
  }

  async #stop(open: OpenMapping): Promise<void> {
    const { engine, drainMs, telemetry } = this.#options;
    const { name } = open.deployment.mapping;
    const isFollowed = this.#wanted !== undefined;
    const startsMs = this.#isCutOff ? CUT_OFF_STARTS_MS : undefined;
    await engine.stopMapping(this.#uuid, drainMs, { isFollowed, startsMs });
    this.#open = undefined;
    // What was received through it is still on its way, and the next configuration has it.
    const closed = engine.receivesBack(this.#uuid).then(async () => {
      for (const error of await open.close()) {
        telemetry.log("warn", "something could not be closed", { mapping: name, error });
      }
    });
    if (!isFollowed) await closed;
    if (this.#wanted === undefined) telemetry.unregister(name);
    telemetry.log("info", "mapping stopped", { mapping: name });
  }

  async #start({ resource, generation, mayStart }: WantedMapping): Promise<void> {
    const { engine, telemetry } = this.#options;
    const open = await this.#opened(resource);
    // plant: what-was-opened-is-started-though-it-is-not-wanted-any-more
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
    this.trouble = undefined;
    if (!(await this.#isPolling(generation))) {
      this.trouble = { text: `It has not begun to poll after ${START_MS_MAX / 1000} s.`, isPassing: true };
      this.#tell(this.trouble);
      return;
    }
    telemetry.log("info", "mapping started", { mapping: resource.mapping.name });
    this.#told = undefined;
  }

  /** @throws MillraceError when it hangs; what is opened after all is closed. */
  #opened(resource: MappingResource): Promise<OpenMapping> {
    const { clock, deployments } = this.#options;
    return new Promise((resolve, reject) => {
      let isGivenUp = false;
      const slow = clock.schedule(START_MS_MAX, () => {
        this.trouble ??= {
          text: `It is still being opened after ${START_MS_MAX / 1000} s.`,
          isPassing: true,
        };
        this.#tell(this.trouble);
      });
      const late = clock.schedule(OPEN_MS_MAX, () => {
        isGivenUp = true;
        const text = `It could not be opened within ${OPEN_MS_MAX / 1000} s: nothing answers.`;
        reject(new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", text));
      });
      const isOver = () => {
        slow.cancel();
        late.cancel();
      };
      deployments.open(resource).then(
        (open) => {
          isOver();
          if (isGivenUp) void open.close();
          else resolve(open);
        },
        (error: unknown) => {
          isOver();
          reject(error);
        },
      );
    });
  }

  #isStillWanted(generation: string): boolean {
    return !this.#isClosed && this.#wanted?.generation === generation;
  }

  /** A mapping at LATEST has its place once it polls: who then sees it Enabled finds what is sent from there on. */
  async #isPolling(generation: string): Promise<boolean> {
    const { clock, engine } = this.#options;
    const endMs = clock.monotonic() + START_MS_MAX;
    // One that says what is in its way has been tried: it is not waited for.
    const isCreating = ({ uuid, state, problem }: MappingStatus) =>
      uuid === this.#uuid && state === "Creating" && problem === undefined;
    while (engine.status().some(isCreating) && this.#isStillWanted(generation)) {
      if (clock.monotonic() >= endMs) return false;
      await new Promise<void>((resolve) => clock.schedule(START_POLL_MS, resolve));
    }
    return true;
  }

  #orAfter(ms: number, steps: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.schedule(ms, () => resolve());
      void steps.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** `Creating` while the trouble may pass by itself, `Failed` when somebody has to change something. */
export function withTrouble(status: MappingStatus, trouble: OpeningTrouble | undefined): MappingStatus {
  if (trouble === undefined) return status;
  return {
    ...status,
    state: trouble.isPassing ? "Creating" : "Failed",
    problem: trouble.text,
    problemReason: trouble.reason ?? "cannotStart",
  };
}
