import { describeError } from "../../model/errors.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import { tellMove } from "./environment-moves.ts";
import {
  outcomeOfAnswer,
  outcomeWithoutAnswer,
  type StartFailure,
  startFailureOf,
} from "./environment-outcome.ts";
import {
  type EnvironmentCall,
  type EnvironmentOutput,
  type EnvironmentOwner,
  type EnvironmentParts,
  NO_RUN,
  type PooledEnvironment,
} from "./environment-parts.ts";
import type {
  Ending,
  EnvironmentEffect,
  EnvironmentSignal,
  EnvironmentState,
  Verdict,
} from "./environment-state.ts";
import { AWAY_MS, INIT_MS, KILL_MS, RETURN_MS, TERMINATE_MS } from "./environment-times.ts";
import { transition } from "./environment-transition.ts";
import type { ShutdownReason } from "./extension-set.ts";
import type { ProcessEnding } from "./launcher.ts";
import type { AnswerStream, RuntimeAnswer, RuntimeReport } from "./listener.ts";
import { OneTimer } from "./one-timer.ts";
import { RuntimeSession, type SessionOwner } from "./runtime-session.ts";

/** Drives one environment: does what its state says, with a process, a listener and timers. */
export class Environment implements SessionOwner, PooledEnvironment {
  /** On the clock's monotonic scale. */
  readonly bornMs: number;
  restingSinceMs = 0;
  readonly folder: string;
  readonly isProvisioned: boolean;
  readonly #parts: EnvironmentParts;
  readonly #owner: EnvironmentOwner;
  readonly #output: EnvironmentOutput;
  #state: EnvironmentState = { name: "new" };
  #session: RuntimeSession | undefined;
  /** What it works on, or starts for, by id. */
  readonly #calls = new Map<string, EnvironmentCall>();
  readonly #timer: OneTimer;
  #launchedMs = 0;
  #launches = 0;
  /** What its start took, until a call has told it. */
  #initMs: number | undefined;
  /** The process has not asked for an event yet. */
  #isFirst = true;
  #hadEvent = false;
  /** The one that is being taken. */
  #answer: RuntimeAnswer = { kind: "tooLarge" };
  #ending: ProcessEnding | undefined;
  #report: RuntimeReport | undefined;
  /** What extensions are told of the next reset. */
  #resetReason: ShutdownReason = "FAILURE";

  /** @throws when there can be no folder. */
  constructor(parts: EnvironmentParts, owner: EnvironmentOwner, isProvisioned: boolean) {
    this.#parts = parts;
    this.#owner = owner;
    this.isProvisioned = isProvisioned;
    this.#timer = new OneTimer(parts.clock);
    this.bornMs = parts.clock.monotonic();
    this.folder = parts.launcher.makeFolder();
    this.#output = parts.createOutput();
    parts.watch?.moved(undefined, "stopped");
  }

  get state(): EnvironmentState {
    return this.#state;
  }

  start(): void {
    this.signal({ kind: "start" });
  }

  /** The call's time runs from here. */
  take(call: EnvironmentCall): void {
    const { requestId } = call;
    if (this.#calls.has(requestId)) {
      // Its process could not tell the two apart.
      call.settle({ kind: "throttled", retryAfterMs: undefined }, NO_RUN);
      return;
    }
    this.#calls.set(requestId, call);
    this.signal({ kind: "take", id: requestId });
  }

  signal(signal: EnvironmentSignal): Verdict {
    const { state, verdict, effects } = transition(this.#state, signal, this.#parts.eventsMax ?? 1);
    tellMove(this.#parts.watch, { before: this.#state, state, signal });
    if (signal.kind === "timeout") this.#resetReason = "TIMEOUT";
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    return verdict;
  }

  #do(effect: EnvironmentEffect): void {
    if (typeof effect === "object") {
      if ("settle" in effect) this.#settle(effect.settle, effect.by);
      else this.#handOut(effect.handOut);
      return;
    }
    switch (effect) {
      case "launch":
        this.#launch();
        return;
      case "holdNext":
        this.#onHeld();
        return;
      case "startFailed":
        this.#owner.onStartFailed(this, this.#startFailure(), false);
        return;
      case "free":
        this.restingSinceMs = this.#parts.clock.monotonic();
        this.#owner.onFree(this);
        return;
      case "unfree":
        this.#owner.onUnfree(this);
        return;
      case "late":
        this.#owner.onLate(this);
        return;
      case "away":
        // plant: an-environment-that-hung-up-is-given-calls
        this.#owner.onUnfree(this);
        this.#arm(AWAY_MS, { kind: "awayTooLong" });
        return;
      case "terminate":
        this.#terminate();
        return;
      case "kill":
        this.#kill();
        return;
      case "lose":
        this.#owner.onLost(this);
        return;
      case "remove":
        this.#remove();
    }
  }

  #launch(): void {
    const { clock, listener } = this.#parts;
    this.#launchedMs = clock.monotonic();
    this.#launches += 1;
    this.#ending = undefined;
    this.#report = undefined;
    this.#isFirst = true;
    this.#resetReason = "FAILURE";
    this.#hadEvent = false;
    this.#output.begin();
    if (this.#calls.size === 0) this.#arm(INIT_MS, { kind: "initLate" });
    const session = new RuntimeSession(this, this.#parts, this);
    this.#session = session;
    session.open(listener);
  }

  #onHeld(): void {
    // plant: the-timer-of-an-answered-call-ends-the-next
    this.#timer.disarm();
    if (!this.#isFirst) return;
    this.#isFirst = false;
    // A start that follows a reset is told by nobody, nor one that a call waits for.
    const isApart = this.#calls.size === 0 && this.#launches === 1;
    const tookMs = this.#parts.clock.monotonic() - this.#launchedMs;
    this.#parts.watch?.started(tookMs);
    this.#initMs = isApart ? tookMs : undefined;
  }

  #handOut(id: string): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    // What was printed during the start is of its first event; what neighbours print cannot be told apart.
    if (this.#hadEvent && this.#calls.size === 1) this.#output.begin();
    this.#hadEvent = true;
    this.#output.run(call.requestId);
    this.#session?.deliver(call.event());
  }

  #settle(id: string, by: Ending): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    this.#output.flush();
    const now = this.#parts.clock.monotonic();
    const maxMemoryMb = this.#session?.settled(id, this.#initMs, call.wantsOutput);
    const durationMs = now - call.begunMs;
    const figures = { durationMs, isRun: this.#hadEvent, initMs: this.#initMs, maxMemoryMb };
    this.#initMs = undefined;
    const { name } = this.#state;
    const isReturning = by === "answer" && (name === "answered" || name === "resetting");
    if (name === "idle") this.restingSinceMs = now;
    // It has the rest of the time to ask for more, where it still runs.
    if (isReturning) this.#arm(Math.max(0, call.expiresAt - now), { kind: "timeout", id: undefined });
    call.settle(this.#outcomeOf(by, call), figures);
    if (isReturning) this.#owner.onReturning(this, RETURN_MS);
    // It never came to its first event.
    if (by === "initError" || (by === "exit" && this.#isFirst))
      this.#owner.onStartFailed(this, this.#startFailure(), true);
  }

  #outcomeOf(by: Ending, { requestId, wantsOutput }: EnvironmentCall): InvocationOutcome {
    const { tail } = this.#output;
    if (by === "exit" || by === "initError") return this.#startFailure()(requestId, tail);
    if (by === "answer") return outcomeOfAnswer(this.#answer, tail, wantsOutput);
    return outcomeWithoutAnswer(by, tail);
  }

  #startFailure(): StartFailure {
    return startFailureOf(this.#report, this.#ending, this.#output.tail);
  }

  #terminate(): void {
    if (this.#session?.isRunning !== true) return void this.#kill();
    this.#owner.onUnfree(this);
    const { wantsShutdown } = this.#session;
    this.#session.terminate(() => this.#kill());
    this.#timer.arm(wantsShutdown ? KILL_MS : TERMINATE_MS, () => this.#kill());
  }

  #kill(): void {
    this.#owner.onUnfree(this);
    this.#arm(KILL_MS, { kind: "undying" });
    this.#calls.clear();
    const isReset = this.#state.name === "resetting" && this.#state.into === "new";
    if (isReset) this.#owner.onReturning(this, KILL_MS);
    if (this.#session === undefined) this.signal({ kind: "groupGone" });
    else this.#session.kill(isReset ? this.#resetReason : "SPINDOWN");
  }

  #remove(): void {
    this.#timer.disarm();
    this.#session = undefined;
    this.#owner.onGone(this);
  }

  #arm(ms: number, signal: EnvironmentSignal): void {
    this.#timer.arm(ms, () => this.signal(signal));
  }

  /** What a session says, unless it is that of a process before. */
  isCurrent(session: RuntimeSession): boolean {
    // plant: the-process-before-is-heard
    return session === this.#session;
  }

  onAnswerRead(id: string, answer: RuntimeAnswer): Verdict {
    this.#answer = answer;
    return this.signal({ kind: "answerRead", id });
  }

  openStream(id: string, contentType: string | undefined): AnswerStream | undefined {
    return this.#calls.get(id)?.openStream(contentType);
  }

  onAnswerBroken(id: string): void {
    this.signal({ kind: "answerBroken", id, isStreamed: this.#calls.get(id)?.isStreamed === true });
  }

  needsOutput(id: string, answer: RuntimeAnswer): boolean {
    const isFailure = answer.kind === "error" || answer.kind === "tooLarge";
    return isFailure || this.#calls.get(id)?.wantsOutput === true;
  }

  onInitError(report: RuntimeReport): Verdict {
    if (this.#state.name === "init") this.#report = report;
    return this.signal({ kind: "initError" });
  }

  onOutput(text: string, stream: "stdout" | "stderr"): void {
    this.#output.add(text, stream);
  }

  onExit(ending: ProcessEnding): void {
    this.#ending = ending;
    // Extensions may outlive their process by a moment.
    if (this.#state.name === "resetting") {
      if (this.#session?.wantsShutdown !== true) this.#kill();
    } else this.signal({ kind: "exit" });
  }

  onOpenFailed(error: Error): void {
    this.onExit({ kind: "unstarted", message: `The Runtime API cannot be opened: ${describeError(error)}` });
  }

  onGroupGone(): void {
    const session = this.#session;
    this.#output.flush();
    this.#timer.disarm();
    this.#session = undefined;
    session?.close();
    this.signal({ kind: "groupGone" });
  }
}
