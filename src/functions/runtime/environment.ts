import { describeError } from "../../model/errors.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import type { ScheduledCall } from "../../ports/clock.ts";
import { abandoned, withDetail } from "../function-failure.ts";
import { tellMove } from "./environment-moves.ts";
import { outcomeOfAnswer, outcomeOfBreak, type StartFailure, startFailureOf } from "./environment-outcome.ts";
import type {
  EnvironmentCall,
  EnvironmentOutput,
  EnvironmentOwner,
  EnvironmentParts,
  PooledEnvironment,
} from "./environment-parts.ts";
import {
  type EnvironmentEffect,
  type EnvironmentSignal,
  type EnvironmentState,
  transition,
  type Verdict,
} from "./environment-state.ts";
import { AWAY_MS, INIT_MS, KILL_MS, RETURN_MS, TERMINATE_MS } from "./environment-times.ts";
import type { ProcessEnding } from "./launcher.ts";
import type { AnswerStream, RuntimeAnswer, RuntimeReport } from "./listener.ts";
import { RuntimeSession, type SessionOwner } from "./runtime-session.ts";

/** Drives one environment: does what its state says, with a process, a listener and timers. */
export class Environment implements SessionOwner, PooledEnvironment {
  /** On the clock's monotonic scale. */
  readonly bornMs: number;
  restingSinceMs = 0;
  readonly folder: string;
  readonly #parts: EnvironmentParts;
  readonly #owner: EnvironmentOwner;
  readonly #output: EnvironmentOutput;
  #state: EnvironmentState = { name: "new" };
  #session: RuntimeSession | undefined;
  #call: EnvironmentCall | undefined;
  #timer: ScheduledCall | undefined;
  #launchedMs = 0;
  #launches = 0;
  #begunMs = 0;
  /** What its start took, until a call has told it. */
  #initMs: number | undefined;
  /** The process has not asked for an event yet. */
  #isFirst = true;
  #hadEvent = false;
  #answer: RuntimeAnswer | undefined;
  #ending: ProcessEnding | undefined;
  #report: RuntimeReport | undefined;

  /** @throws when there can be no folder. */
  constructor(parts: EnvironmentParts, owner: EnvironmentOwner) {
    this.#parts = parts;
    this.#owner = owner;
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
    this.#call = call;
    this.#begunMs = this.#parts.clock.monotonic();
    this.signal({ kind: "take", id: call.requestId });
  }

  signal(signal: EnvironmentSignal): Verdict {
    const { state, verdict, effects } = transition(this.#state, signal);
    tellMove(this.#parts.watch, { before: this.#state, state, signal });
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    return verdict;
  }

  #do(effect: EnvironmentEffect): void {
    switch (effect) {
      case "launch":
        this.#launch();
        return;
      case "holdNext":
        this.#onHeld();
        return;
      case "handOut":
        this.#handOut();
        return;
      case "settleAnswer":
      case "settleBroken":
      case "settleExit":
      case "settleInitError":
      case "settleTimeout":
      case "settleAbandoned":
        this.#settle(effect);
        return;
      case "startFailed":
        this.#owner.onStartFailed(this, this.#startFailure(), false);
        return;
      case "free":
        this.restingSinceMs = this.#parts.clock.monotonic();
        this.#owner.onFree(this);
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
    const { clock, launcher, listener } = this.#parts;
    this.#launchedMs = clock.monotonic();
    this.#launches += 1;
    this.#ending = undefined;
    this.#report = undefined;
    this.#isFirst = true;
    this.#hadEvent = false;
    this.#output.begin();
    if (this.#call === undefined) this.#arm(INIT_MS, { kind: "initLate" });
    const session = new RuntimeSession(this, launcher, this.folder);
    this.#session = session;
    session.open(listener);
  }

  #onHeld(): void {
    // plant: the-timer-of-an-answered-call-ends-the-next
    this.#disarm();
    if (!this.#isFirst) return;
    this.#isFirst = false;
    // A start that follows a reset is told by nobody, nor one that a call waits for.
    const isApart = this.#call === undefined && this.#launches === 1;
    const tookMs = this.#parts.clock.monotonic() - this.#launchedMs;
    this.#parts.watch?.started(tookMs);
    this.#initMs = isApart ? tookMs : undefined;
  }

  #handOut(): void {
    const call = this.#call;
    if (call === undefined) return;
    // What was printed during the start is of its first event.
    if (this.#hadEvent) this.#output.begin();
    this.#hadEvent = true;
    this.#output.run(call.requestId);
    this.#answer = undefined;
    this.#session?.deliver(call.event());
  }

  #settle(effect: EnvironmentEffect): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#call = undefined;
    this.#output.flush();
    const now = this.#parts.clock.monotonic();
    const maxMemoryMb = this.#session?.takeMemoryMb(call.wantsOutput);
    const durationMs = now - this.#begunMs;
    const figures = { durationMs, isRun: this.#hadEvent, initMs: this.#initMs, maxMemoryMb };
    this.#initMs = undefined;
    const isAnswer = effect === "settleAnswer";
    // It has the rest of the time to ask for more, where it still runs.
    if (isAnswer) this.#arm(Math.max(0, call.expiresAt - now), { kind: "timeout" });
    call.settle(this.#outcomeOf(effect, call), figures);
    if (isAnswer) this.#owner.onReturning(this, RETURN_MS);
    // It never came to its first event.
    if (effect === "settleInitError" || (effect === "settleExit" && this.#isFirst))
      this.#owner.onStartFailed(this, this.#startFailure(), true);
  }

  #outcomeOf(effect: EnvironmentEffect, { requestId, wantsOutput }: EnvironmentCall): InvocationOutcome {
    const { tail } = this.#output;
    switch (effect) {
      case "settleAnswer":
        return outcomeOfAnswer(this.#answer ?? { kind: "tooLarge" }, tail, wantsOutput);
      case "settleBroken":
        return outcomeOfBreak(tail);
      case "settleTimeout":
        return { kind: "timedOut", ...withDetail({ logTail: tail }) };
      case "settleExit":
      case "settleInitError":
        return this.#startFailure()(requestId, tail);
      default:
        return abandoned();
    }
  }

  #startFailure(): StartFailure {
    return startFailureOf(this.#report, this.#ending, this.#output.tail);
  }

  #terminate(): void {
    if (this.#session?.isRunning !== true) {
      this.#kill();
      return;
    }
    this.#owner.onUnfree(this);
    this.#session.terminate();
    this.#disarm();
    this.#timer = this.#parts.clock.schedule(TERMINATE_MS, () => this.#kill());
  }

  #kill(): void {
    this.#owner.onUnfree(this);
    this.#arm(KILL_MS, { kind: "undying" });
    const isReset = this.#state.name === "resetting" && this.#state.into === "new";
    if (isReset) this.#owner.onReturning(this, KILL_MS);
    if (this.#session === undefined) this.signal({ kind: "groupGone" });
    else this.#session.kill();
  }

  #remove(): void {
    this.#disarm();
    this.#session = undefined;
    this.#owner.onGone(this);
  }

  #arm(ms: number, signal: EnvironmentSignal): void {
    this.#disarm();
    this.#timer = this.#parts.clock.schedule(ms, () => {
      this.#timer = undefined;
      this.signal(signal);
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** What a session says, unless it is that of a process before. */
  isCurrent(session: RuntimeSession): boolean {
    // plant: the-process-before-is-heard
    return session === this.#session;
  }

  onAnswerRead(answer: RuntimeAnswer): Verdict {
    this.#answer = answer;
    return this.signal({ kind: "answerRead" });
  }

  openStream(contentType: string | undefined): AnswerStream | undefined {
    return this.#call?.openStream(contentType);
  }

  onAnswerBroken(): void {
    this.signal({ kind: "answerBroken", isStreamed: this.#call?.isStreamed === true });
  }

  needsOutput(answer: RuntimeAnswer): boolean {
    return answer.kind === "error" || answer.kind === "tooLarge" || this.#call?.wantsOutput === true;
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
    if (this.#state.name === "resetting") this.#kill();
    else this.signal({ kind: "exit" });
  }

  onOpenFailed(error: Error): void {
    this.onExit({ kind: "unstarted", message: `The Runtime API cannot be opened: ${describeError(error)}` });
  }

  onGroupGone(): void {
    const session = this.#session;
    this.#output.flush();
    this.#disarm();
    this.#session = undefined;
    session?.close();
    this.signal({ kind: "groupGone" });
  }
}
