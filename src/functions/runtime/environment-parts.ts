import type { InvocationOutcome } from "../../model/outcome.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EnvironmentWatch } from "../../ports/environment-watch.ts";
import type { StartFailure } from "./environment-outcome.ts";
import type { EnvironmentSignal, EnvironmentState } from "./environment-state.ts";
import type { ExtendedFunction } from "./extension-set.ts";
import type { Launcher } from "./launcher.ts";
import type { AnswerStream, Listener, RuntimeEvent } from "./listener.ts";

/** An environment, as its pool sees it. */
export interface PooledEnvironment {
  /** On the clock's monotonic scale. */
  readonly bornMs: number;
  readonly restingSinceMs: number;
  readonly folder: string;
  readonly state: EnvironmentState;
  signal(signal: EnvironmentSignal): unknown;
}

/** A call that an environment has taken. */
export interface EnvironmentCall {
  readonly requestId: string;
  /** The outcome waits until what the function printed before is read. */
  readonly wantsOutput: boolean;
  /** When its time began, on the clock's monotonic scale. */
  readonly begunMs: number;
  /** When its time is up, on the clock's monotonic scale. */
  readonly expiresAt: number;
  /** Asked when the process gets it. */
  event(): RuntimeEvent;
  /** Its answer is a stream; `undefined`: whoever called wants it whole. */
  openStream(contentType: string | undefined): AnswerStream | undefined;
  /** Whoever called has the beginning of its answer. */
  readonly isStreamed: boolean;
  settle(outcome: InvocationOutcome, figures: RunFigures): void;
}

/** What a `REPORT` line says. */
export interface RunFigures {
  readonly durationMs: number;
  /** It was handed to a process. */
  readonly isRun: boolean;
  /** What the start before it took, where that was no part of the run. */
  readonly initMs: number | undefined;
  /** `undefined`: nobody can tell. */
  readonly maxMemoryMb: number | undefined;
}

/** It came to none. */
export const NO_RUN: RunFigures = { durationMs: 0, isRun: false, initMs: undefined, maxMemoryMb: undefined };

/** What an environment prints. */
export interface EnvironmentOutput {
  add(text: string, stream: "stdout" | "stderr"): void;
  /** A process begins to work on the next event. */
  begin(): void;
  /** It is handed the event of this call. */
  run(requestId: string): void;
  /** What it has printed since. */
  readonly tail: string;
  flush(): void;
}

/** The pool. */
export interface EnvironmentOwner {
  onFree(environment: PooledEnvironment): void;
  /** It can take no call any more, or not now. */
  onUnfree(environment: PooledEnvironment): void;
  onStartFailed(environment: PooledEnvironment, failure: StartFailure, hadCall: boolean): void;
  onLate(environment: PooledEnvironment): void;
  /** It will be free again within a moment, unless something goes wrong: so long nobody needs another. */
  onReturning(environment: PooledEnvironment, patienceMs: number): void;
  onLost(environment: PooledEnvironment): void;
  onGone(environment: PooledEnvironment): void;
}

export interface EnvironmentParts {
  readonly clock: Clock;
  readonly launcher: Launcher;
  readonly listener: Listener;
  createOutput(): EnvironmentOutput;
  /** What extensions are told; absent: there is no API for them. */
  readonly extended?: ExtendedFunction | undefined;
  readonly watch?: EnvironmentWatch | undefined;
  /** Events that one process works on at once; default one. */
  readonly eventsMax?: number;
}
