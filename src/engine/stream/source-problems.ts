import { describeError, faultOf, hasErrorCode, processingResultOf } from "../../model/errors.ts";
import type { FailureCount, LookFailure } from "../explanation.ts";

/** What fails once or twice passes by itself; credentials that are wrong do not. */
const PASSING_FAILURES = 2;
/** Nor what has failed for so long: tries that hang are few. */
const PASSING_MS = 10_000;
const TEXT_CHARS_MAX = 1_000;

/** A question that is open for so long, beyond its own wait, is told although nothing has failed. */
const SILENT_MS = 30_000;

/** A part of `LastProcessingResult`: whoever was asked has not answered for so long. */
export function silenceOf(who: string, silentMs: number): string | undefined {
  // plant: whoever-does-not-answer-at-all-is-not-told
  if (silentMs < SILENT_MS) return undefined;
  return `PROBLEM: ${who} has not answered for ${Math.floor(silentMs / 1_000)} s.`;
}

/**
 * What the source of a mapping answers, as far as somebody has to look at it: a part of `LastProcessingResult` (kafka
 * §4).
 */
export class SourceProblems {
  readonly #failures = new Map<
    string,
    { count: number; readonly sinceMs: number; text: string | undefined }
  >();
  /** Since the last success, throttles too. */
  readonly #tries = new Map<string, LookFailure>();

  /** `undefined`: the source is fine, as far as anyone has seen. */
  get current(): string | undefined {
    for (const { text } of this.#failures.values()) if (text !== undefined) return text;
    return undefined;
  }

  /** What fails now, whether somebody has to look at it or not. */
  explain(place: string): FailureCount | undefined {
    const failure = this.#tries.get(place);
    if (failure === undefined) return undefined;
    const { count, lastProblem, fault } = failure;
    return { count, lastProblem, fault };
  }

  /** The first of these places where something fails now. */
  lookFailure(places: readonly string[]): LookFailure | undefined {
    for (const place of places) {
      const failure = this.#tries.get(place);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  /**
   * `place`: a shard, or the mapping as a whole. A throttle is no problem. `nowMs`: monotonic. `silentMs`: for
   * how long nothing had been heard of it when the try failed.
   */
  failed(place: string, error: unknown, nowMs: number, silentMs = 0): void {
    const lastProblem = describeError(error).slice(0, TEXT_CHARS_MAX);
    this.#tries.set(place, {
      count: (this.#tries.get(place)?.count ?? 0) + 1,
      lastProblem,
      fault: faultOf(error),
      isOfStore: isStoreError(error),
    });
    if (hasErrorCode(error, "ERR_MILLRACE_SOURCE_THROTTLED")) return;
    const known = this.#failures.get(place) ?? { count: 0, sinceMs: nowMs - silentMs, text: undefined };
    known.count++;
    const result = processingResultOf(error);
    if (result !== undefined) known.text = result;
    else if (known.count > PASSING_FAILURES || nowMs - known.sinceMs >= PASSING_MS) {
      known.text = `PROBLEM: ${describeError(error)}`.slice(0, TEXT_CHARS_MAX);
    }
    this.#failures.set(place, known);
  }

  /** `failure`: `undefined` where it went well. */
  tried(place: string, failure: unknown, nowMs: number): void {
    if (failure === undefined) this.worked(place);
    else this.failed(place, failure, nowMs);
  }

  worked(place: string): void {
    this.#failures.delete(place);
    this.#tries.delete(place);
  }
}

function isStoreError(error: unknown): boolean {
  return (
    hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE") || hasErrorCode(error, "ERR_MILLRACE_STORE_CORRUPT")
  );
}
