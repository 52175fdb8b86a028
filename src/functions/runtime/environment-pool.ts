import type { InvocationOutcome } from "../../model/outcome.ts";
import type { ScheduledCall } from "../../ports/clock.ts";
import type { Readiness } from "../../ports/function-target.ts";
import { CallWatch } from "../call-watch.ts";
import { abandoned } from "../function-failure.ts";
import { EarliestTimer } from "./earliest-timer.ts";
import { Environment } from "./environment.ts";
import { errorTypeOf, type StartFailure, startedLate } from "./environment-outcome.ts";
import { type EnvironmentOwner, type EnvironmentParts, NO_RUN } from "./environment-parts.ts";
import { INIT_MS } from "./environment-times.ts";
import { readinessOf } from "./pool-readiness.ts";
import { RestingEnvironments } from "./resting-environments.ts";
import type { RuntimeCall } from "./runtime-call.ts";
import { PAUSE_MS_MAX, StartPause } from "./start-pause.ts";

export interface EnvironmentPoolOptions extends EnvironmentParts {
  /** Environments at once, whatever they do. */
  readonly environmentsMax: number;
  /** So many are started before anybody calls, and kept. */
  readonly environmentsMin?: number;
  /** One that rests so long is ended; default ten minutes. */
  readonly keepWarmMs?: number;
  /** One that is so old is ended when it rests, also under load; default four hours. */
  readonly lifeMs?: number;
  /** Something of one did not die. */
  readonly onLost?: () => void;
}

const KEEP_WARM_MS = 10 * 60 * 1000;
const LIFE_MS = 4 * 60 * 60 * 1000;

/**
 * The environments of one version. A call takes the one that was used last; without one, another starts, and the call
 * takes what is ready first. So what is too many rests, and ends.
 */
export class EnvironmentPool implements EnvironmentOwner {
  readonly #options: EnvironmentPoolOptions;
  readonly #watch: CallWatch;
  readonly #eventsMax: number;
  /** Each that is not gone or lost; never more than the maximum. */
  readonly #all = new Set<Environment>();
  readonly #starting = new Set<Environment>();
  readonly #resting = new RestingEnvironments<Environment>();
  /** They are about to be free: until when that is believed. */
  readonly #returning = new Map<Environment, number>();
  readonly #lost = new Set<Environment>();
  #waiting: RuntimeCall[] = [];
  readonly #pause = new StartPause();
  readonly #fillTimer: EarliestTimer;
  #onFirst: ((failure: StartFailure | undefined) => void) | undefined;
  #sweepTimer: ScheduledCall | undefined;
  #ended: (() => void) | undefined;
  #closed: Promise<void> | undefined;
  #isClosed = false;
  readonly #removals = new Set<Promise<void>>();

  constructor(options: EnvironmentPoolOptions) {
    this.#options = options;
    this.#eventsMax = options.eventsMax ?? 1;
    this.#watch = new CallWatch(options.clock);
    this.#fillTimer = new EarliestTimer(options.clock, () => this.#fill());
    if (this.#min > 0) this.#fill();
  }

  run(call: RuntimeCall): void {
    if (this.#isClosed) {
      call.settle(abandoned(), NO_RUN);
      return;
    }
    call.wait(this.#options.clock.monotonic() + INIT_MS, this);
    this.#watch.add(call);
    this.#waiting.push(call);
    this.#fill();
  }

  /** Before anybody calls: `onFirst` is told when an environment is ready, or why it is not. */
  startFirst(onFirst: (failure: StartFailure | undefined) => void): void {
    this.#onFirst = onFirst;
    if (this.#all.size === 0) this.#start();
  }

  get readiness(): Readiness {
    return readinessOf(this.#all, this.#pause);
  }

  /** Resolves when nothing is left but what did not die. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#fillTimer.cancel();
    this.#sweepTimer?.cancel();
    for (const call of this.#waiting.splice(0)) this.#refuse(call, abandoned());
    for (const environment of [...this.#all]) environment.signal({ kind: "close" });
    this.#watch.close();
    if (this.#all.size > 0)
      await new Promise<void>((resolve) => {
        this.#ended = resolve;
      });
    await Promise.all(this.#removals);
  }

  onFree(environment: Environment): void {
    this.#starting.delete(environment);
    this.#returning.delete(environment);
    if (this.#isClosed) return void environment.signal({ kind: "close" });
    if (environment.state.name !== "new") this.#pause.succeeded();
    this.#onFirst?.(undefined);
    if (this.#options.clock.monotonic() - environment.bornMs >= this.#lifeMs) {
      environment.signal({ kind: "retire" });
    } else {
      this.#resting.add(environment);
      this.#sweepLater();
    }
    this.#fill();
  }

  onUnfree(environment: Environment): void {
    this.#starting.delete(environment);
    this.#returning.delete(environment);
    this.#resting.remove(environment);
  }

  onStartFailed(environment: Environment, failure: StartFailure, hadCall: boolean): void {
    this.onUnfree(environment);
    this.#pause.failed(this.#options.clock.monotonic(), failure);
    this.#onFirst?.(failure);
    this.#options.watch?.startFailed(errorTypeOf(failure));
    // Those for which nothing starts any more are told at once, and not after a pause.
    const failing = Math.max(hadCall ? 0 : 1, this.#waiting.length - this.#starting.size * this.#eventsMax);
    for (const call of this.#waiting.splice(0, failing)) this.#refuse(call, failure(call.requestId, ""));
    this.#fill();
  }

  onLate(environment: Environment): void {
    this.#starting.delete(environment);
    this.#onFirst?.(startedLate);
    this.#resting.addLate(environment);
    this.#fill();
  }

  onReturning(environment: Environment, patienceMs: number): void {
    this.#returning.set(environment, this.#options.clock.monotonic() + patienceMs);
  }

  onLost(environment: Environment): void {
    // plant: what-does-not-die-holds-up-the-end
    this.#forget(environment);
    this.#lost.add(environment);
    this.#options.onLost?.();
    this.#fill();
    if (this.#all.size === 0) this.#ended?.();
  }

  onGone(environment: Environment): void {
    this.#forget(environment);
    this.#lost.delete(environment);
    // plant: a-folder-is-left-behind
    const removal = this.#options.launcher.removeFolder(environment.folder);
    this.#removals.add(removal);
    void removal.then(() => this.#removals.delete(removal));
    if (this.#all.size === 0) this.#ended?.();
    this.#fill();
  }

  /** A call that waits has had its time. */
  onWaitedTooLong(call: RuntimeCall): void {
    const [starting] = this.#starting;
    if (starting !== undefined) {
      this.#waiting = this.#waiting.filter((waiting) => waiting !== call);
      this.#starting.delete(starting);
      this.#give(starting, call);
      return;
    }
    const isPaused = this.#pause.untilMs > this.#options.clock.monotonic();
    const failure = isPaused ? this.#pause.lastFailure?.(call.requestId, "") : undefined;
    this.onCallLeft(call, failure ?? NO_CAPACITY);
  }

  /** Whoever called has given up, or waits no longer. */
  onCallLeft(call: RuntimeCall, outcome: InvocationOutcome): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== call);
    this.#refuse(call, outcome);
  }

  /** Its time is no longer looked at. */
  unwatch(call: RuntimeCall): void {
    this.#watch.remove(call);
  }

  get #min(): number {
    return Math.min(this.#options.environmentsMin ?? 0, this.#options.environmentsMax);
  }

  get #lifeMs(): number {
    return this.#options.lifeMs ?? LIFE_MS;
  }

  #refuse(call: RuntimeCall, outcome: InvocationOutcome): void {
    this.#watch.remove(call);
    call.settle(outcome, NO_RUN);
  }

  #fill(): void {
    if (this.#isClosed) return;
    while (this.#waiting.length > 0) {
      const environment = this.#resting.take();
      if (environment === undefined) break;
      const call = this.#waiting.shift();
      if (call !== undefined) this.#give(environment, call);
    }
    const wanted = Math.ceil(this.#waiting.length / this.#eventsMax) - this.#starting.size;
    const missing = Math.max(wanted, this.#min - this.#all.size);
    for (let left = missing - this.#comingBack(missing); left > 0 && this.#mayStart(); left--) this.#start();
  }

  #give(environment: Environment, call: RuntimeCall): void {
    const { clock } = this.#options;
    this.#watch.remove(call);
    call.begin(environment, clock.monotonic(), clock.now());
    this.#watch.add(call);
    environment.take(call);
  }

  /** Environments that are about to be free; when their time is up another look is taken. */
  #comingBack(missing: number): number {
    if (missing <= 0 || this.#returning.size === 0) return 0;
    const now = this.#options.clock.monotonic();
    let count = 0;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const untilMs of this.#returning.values()) {
      if (untilMs <= now) continue;
      count += 1;
      nextMs = Math.min(nextMs, untilMs);
    }
    if (count > 0) this.#fillTimer.at(nextMs);
    return count;
  }

  #isPaused(): boolean {
    if (this.#pause.untilMs <= this.#options.clock.monotonic()) return false;
    this.#fillTimer.at(this.#pause.untilMs);
    return true;
  }

  #mayStart(): boolean {
    if (this.#isClosed) return false;
    // plant: one-environment-more-than-may-be-is-started
    if (this.#all.size >= this.#options.environmentsMax && !this.#resting.hasReset) return false;
    return !this.#isPaused();
  }

  /** One that was reset keeps its folder, and comes first. */
  #start(): void {
    let environment = this.#resting.takeReset();
    try {
      environment ??= new Environment(this.#options, this, this.#all.size < this.#min);
    } catch (error) {
      this.#onNoFolder(error);
      return;
    }
    this.#all.add(environment);
    this.#starting.add(environment);
    environment.start();
  }

  #onNoFolder(error: unknown): void {
    this.#pause.untilMs = this.#options.clock.monotonic() + PAUSE_MS_MAX;
    const message = `No environment could be made: ${error instanceof Error ? error.message : String(error)}`;
    this.#onFirst?.(() => ({ kind: "unavailable", message }));
    for (const call of this.#waiting.splice(0)) this.#refuse(call, { kind: "unavailable", message });
  }

  #sweepLater(): void {
    const everyMs = Math.max(1, Math.min(this.#options.keepWarmMs ?? KEEP_WARM_MS, this.#lifeMs) / 4);
    this.#sweepTimer ??= this.#options.clock.schedule(everyMs, () => this.#sweep());
  }

  /** Ends what has rested too long, or is too old; a minimum stays, as long as it is young. */
  #sweep(): void {
    this.#sweepTimer = undefined;
    const { clock, keepWarmMs = KEEP_WARM_MS } = this.#options;
    const now = clock.monotonic();
    const spare = this.#all.size - this.#min;
    for (const environment of this.#resting.takeOld(now - this.#lifeMs, now - keepWarmMs, spare))
      environment.signal({ kind: "retire" });
    if (this.#resting.size > 0) this.#sweepLater();
    this.#fill();
  }

  #forget(environment: Environment): void {
    this.#all.delete(environment);
    this.onUnfree(environment);
  }
}

const NO_CAPACITY: InvocationOutcome = { kind: "throttled", retryAfterMs: undefined };
