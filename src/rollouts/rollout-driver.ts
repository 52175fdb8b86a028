import { RepeatedLines } from "../lib/repeated-lines.ts";
import { describeError } from "../model/errors.ts";
import { type Rollout, shareOf } from "../model/rollout.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { QueriedAlarms } from "./queried-alarms.ts";
import { RolloutPoints, type RolloutSight } from "./rollout-sight.ts";
import type { KnownFigures, SharedFigures } from "./shared-figures.ts";
import { intervalOf, type Step, stepRollout } from "./step-rollout.ts";
import { judge } from "./verdict.ts";

const LOOK_MS = 1_000;

/** A rollout that runs, as its alias's row has it. */
export interface RunningRollout {
  /** Function and alias: `orders:live`. */
  readonly name: string;
  /** The row's: what is written takes effect on it alone. */
  readonly rowVersion: number;
  readonly rollout: Rollout;
}

export interface RolloutDriverOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly figures: Pick<SharedFigures, "look" | "forget">;
  readonly queried: Pick<QueriedAlarms, "stateOf">;
  /** Rejects when the store does. */
  readonly running: () => Promise<readonly RunningRollout[]>;
  /** Takes effect only on the row that was seen; `false`: somebody else has written. */
  readonly write: (seen: RunningRollout, next: Rollout) => Promise<boolean>;
  /** Watched from now on, in this process. */
  readonly watch: (rollouts: readonly RunningRollout[]) => void;
  /** Calls a hook; `false`: it failed. What it says otherwise comes by the API. Never rejects. */
  readonly callHook: (fn: string, event: HookEvent) => Promise<boolean>;
}

/** What a hook is called with, in CodeDeploy's words. */
export interface HookEvent {
  readonly DeploymentId: string;
  readonly LifecycleEventHookExecutionId: string;
}

interface Sighting {
  readonly state: string;
  readonly sinceMs: number;
  readonly points: RolloutPoints;
  readonly sight?: RolloutSight;
}

/** Those that ended are shown until so many others have. */
const ENDED_MAX = 100;

/**
 * Moves rollouts on. Every process does: who writes first has written, and the others see another row. Intervals are
 * measured by this process's monotonic clock since it first saw the row as it is.
 */
export class RolloutDriver {
  readonly #options: RolloutDriverOptions;
  /** By rollout. */
  readonly #sightings = new Map<string, Sighting>();
  /** What was seen of rollouts that have ended, the newest last. */
  readonly #ended = new Map<string, RolloutSight>();
  readonly #lines: RepeatedLines;
  #timer: ScheduledCall | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: RolloutDriverOptions) {
    this.#options = options;
    this.#lines = new RepeatedLines(options.clock, options.telemetry);
  }

  start(): void {
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => {
      this.#looking = this.look().finally(() => {
        if (!this.#isStopped) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** What this process saw of a rollout last, also of one that has ended; `undefined`: nothing. */
  sightOf(id: string): RolloutSight | undefined {
    return this.#sightings.get(id)?.sight ?? this.#ended.get(id);
  }

  /** One look at all that run. Never rejects. */
  async look(): Promise<void> {
    const { running, watch } = this.#options;
    try {
      const rollouts = await running();
      watch(rollouts);
      for (const each of rollouts) await this.#attempt(() => this.#move(each));
      for (const id of this.#sightings.keys()) {
        if (!rollouts.some((each) => each.rollout.id === id)) await this.#attempt(() => this.#forget(id));
      }
    } catch (error) {
      this.#tell(error);
    }
  }

  /** It was ended by whomever, also by a stop or by another version that was declared: nothing is kept of it. */
  async #forget(id: string): Promise<void> {
    await this.#options.figures.forget(id);
    const { sight } = this.#sightings.get(id) ?? {};
    this.#sightings.delete(id);
    if (sight !== undefined) this.#ended.set(id, { ...sight, waitsFor: undefined, nextStepMs: 0 });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** What cannot be done for one rollout holds up no other one. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    const message = "a rollout could not be looked at; trying again";
    this.#lines.write("warn", message, { error: describeError(error) });
  }

  async #move(seen: RunningRollout): Promise<void> {
    const { clock, figures, queried, telemetry } = this.#options;
    const { rollout, name } = seen;
    const { alarms, minimumInvocations } = rollout;
    const known = await figures.look(rollout.id);
    const sinceMs = clock.monotonic() - this.#sinceMs(seen);
    const { prometheusQuery: query } = alarms;
    const alarm = query === undefined ? "off" : queried.stateOf(query);
    const verdict = judge(known, alarms, minimumInvocations, alarm);
    const step = stepRollout(rollout, { sinceMs, verdict });
    this.#keepSight(rollout, known, step, sinceMs);
    if (step.kind === "wait") return;
    if (step.kind === "call") return await this.#call(seen, step);
    const isEnd = step.kind !== "next";
    const next = isEnd ? { ...step.rollout, endedMs: clock.now() } : step.rollout;
    if (!(await this.#options.write(seen, next))) return;
    const fields = { function: name, rollout: rollout.id, share: shareOf(next) };
    if (step.kind === "rollBack") {
      const message = `a rollout went back to version ${rollout.from}: ${next.reason}`;
      telemetry.log("error", message, fields);
    } else {
      const message = isEnd ? "a rollout has ended well" : "a rollout has taken a step";
      telemetry.log("info", message, fields);
    }
  }

  /** Written before it is called: a hook is called once at most. */
  async #call(seen: RunningRollout, { fn }: Extract<Step, { kind: "call" }>): Promise<void> {
    const { random, write, callHook, running } = this.#options;
    const executionId = random.uuid();
    const called: Rollout = { ...seen.rollout, hook: { executionId, status: "called" } };
    if (!(await write(seen, called))) return;
    const event = { DeploymentId: seen.rollout.id, LifecycleEventHookExecutionId: executionId };
    // Not waited for: a hook may take as long as its function may, and other rollouts go on.
    void callHook(fn, event)
      .then(async (isFine) => {
        if (isFine) return;
        const now = (await running()).find(({ rollout }) => rollout.hook?.executionId === executionId);
        if (now?.rollout.hook?.status !== "called") return;
        await write(now, { ...now.rollout, hook: { executionId, status: "Failed" } });
      })
      .catch((error: unknown) => {
        const message = "that a hook has failed could not be written: its rollout goes back within an hour";
        this.#lines.write("warn", message, { error: describeError(error) });
      });
  }

  #sinceMs({ rollout: { id, phase, step, hook } }: RunningRollout): number {
    const state = JSON.stringify([phase, step, hook]);
    const known = this.#sightings.get(id);
    if (known?.state === state) return known.sinceMs;
    const sinceMs = this.#options.clock.monotonic();
    this.#sightings.set(id, { ...known, state, sinceMs, points: known?.points ?? new RolloutPoints() });
    return sinceMs;
  }

  #keepSight(
    rollout: Rollout,
    { figures, former, iteratorAgeMs }: KnownFigures,
    step: Step,
    sinceMs: number,
  ): void {
    const { clock } = this.#options;
    const sighting = this.#sightings.get(rollout.id);
    if (sighting === undefined) return;
    const { points } = sighting;
    const known = { figures, former, iteratorAgeMs };
    points.note(clock.now(), clock.monotonic(), shareOf(rollout), known);
    const nextStepMs = rollout.phase === "shifting" ? Math.max(0, intervalOf(rollout) - sinceMs) : 0;
    const waitsFor = step.kind === "wait" ? step.why : undefined;
    const sight = { ...known, waitsFor, nextStepMs, points: points.all };
    this.#sightings.set(rollout.id, { ...sighting, sight });
  }
}
