import type { Clock } from "../../ports/clock.ts";
import type { AttemptFailure, BatchDoing, BatchExplanation } from "../explanation.ts";
import { isRefusalCode } from "./refusal-code.ts";

/** The part of a batch that is tried now. */
export interface AttemptedPart {
  readonly requestId: string;
  readonly records: number;
  readonly laterRecords: number;
  readonly firstRecord: string | undefined;
  readonly lastRecord: string | undefined;
  readonly failures: number;
  readonly throttles: number;
  /** Monotonic. */
  readonly notBeforeMs: number;
  readonly groups: readonly string[];
  readonly key?: string | undefined;
}

export interface NotedFailure {
  /** The entry in the error book, where the function ran and failed. */
  readonly errorId?: string | undefined;
  /** Under which request: the next part of the batch has not failed for that. */
  readonly failure?: { readonly requestId: string; readonly code: AttemptFailure } | undefined;
}

/**
 * What a batch notes of itself on its way, so that it can be explained: a few fields for each attempt, nothing for a
 * record.
 */
export class AttemptNotes {
  readonly #clock: Clock;
  #doing: BatchDoing = "starting";
  #sinceMs: number;
  #attempts = 0;
  #lastProblem: string | undefined;
  #lastErrorId: string | undefined;
  /** What the last attempt came to. */
  #failure: NotedFailure["failure"];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonic();
  }

  /** What went wrong last, in a word. */
  get lastProblem(): string | undefined {
    return this.#lastProblem;
  }

  /** The entry of that in the error book, where the function ran and failed. */
  get lastErrorId(): string | undefined {
    return this.#lastErrorId;
  }

  fails(problem: string, { errorId, failure }: NotedFailure = {}): void {
    this.#lastProblem = problem;
    this.#lastErrorId = errorId;
    if (failure !== undefined) this.#failure = failure;
  }

  /** What is left of the part goes on under another request: it has failed as the whole had. */
  goesOn(from: string, requestId: string): void {
    if (this.#failure?.requestId === from) this.#failure = { ...this.#failure, requestId };
  }

  does(doing: BatchDoing): void {
    this.#doing = doing;
    this.#sinceMs = this.#clock.monotonic();
    if (doing !== "invoking") return;
    this.#attempts++;
    if (this.#failure !== undefined && isRefusalCode(this.#failure.code)) this.#failure = undefined;
  }

  explain({ notBeforeMs, ...part }: AttemptedPart): BatchExplanation {
    const epochMs = epochOf(this.#clock);
    const isPausing = this.#doing === "pausing";
    return {
      ...part,
      doing: this.#doing,
      sinceMs: epochMs(this.#sinceMs),
      attempts: this.#attempts,
      lastProblem: this.#lastProblem,
      lastErrorId: this.#lastErrorId,
      // plant: the-last-failure-is-told-after-it-has-passed
      failure: this.#failure?.requestId === part.requestId ? this.#failure.code : undefined,
      nextAttemptMs: isPausing ? epochMs(notBeforeMs) : undefined,
    };
  }
}

/** What a monotonic time is for people, by the wall clock of now. */
export function epochOf(clock: Clock): (monotonicMs: number) => number {
  const offsetMs = clock.now() - clock.monotonic();
  return (monotonicMs) => Math.round(monotonicMs + offsetMs);
}
