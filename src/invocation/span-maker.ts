import { reducedErrorType } from "../model/function-error.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { RemoteContext, SpanContext } from "../model/trace-context.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Span, Tracing } from "../ports/tracing.ts";

export interface SpanMakerOptions {
  readonly tracing: Tracing;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Begins traces and goes on with them. Ids come from `Random`, times from `Clock`: the same run makes the same spans.
 */
export class SpanMaker {
  readonly clock: Clock;
  readonly linksMax: number;
  readonly #tracing: Tracing;
  readonly #random: Random;

  constructor({ tracing, clock, random }: SpanMakerOptions) {
    this.clock = clock;
    this.linksMax = tracing.linksMax;
    this.#tracing = tracing;
    this.#random = random;
  }

  /** A trace of its own. */
  begin(): SpanContext {
    const traceId = this.#newTraceId();
    return { traceId, spanId: this.#newSpanId(), sampled: this.#isInRatio(traceId), traceState: undefined };
  }

  /** The next span of a trace that goes on. */
  goOn({ traceId, sampled, traceState }: RemoteContext): SpanContext {
    const follows = this.#tracing.sampling.followsParent ? sampled : undefined;
    return { traceId, spanId: this.#newSpanId(), sampled: follows ?? this.#isInRatio(traceId), traceState };
  }

  record(span: Span): void {
    if (span.context.sampled) this.#tracing.record(span);
  }

  /** X-Ray takes no trace whose first 8 digits are not the second of its begin. */
  #newTraceId(): string {
    const second = Math.floor(this.clock.now() / 1000) >>> 0;
    const uuid = this.#random.uuid().replaceAll("-", "");
    // The digits between are those that a version 4 UUID fixes.
    return second.toString(16).padStart(8, "0") + uuid.slice(0, 12) + uuid.slice(20);
  }

  #newSpanId(): string {
    const uuid = this.#random.uuid().replaceAll("-", "");
    const id = uuid.slice(0, 8) + uuid.slice(24);
    return id === NO_SPAN ? "0000000000000001" : id;
  }

  /** By the trace's own random digits, so that all who sample at a ratio keep the same traces. */
  #isInRatio(traceId: string): boolean {
    const { ratio } = this.#tracing.sampling;
    return Number.parseInt(traceId.slice(-RATIO_DIGITS), 16) >= (1 - ratio) * 16 ** RATIO_DIGITS;
  }
}

const NO_SPAN = "0000000000000000";
/** 52 bits: what a number holds exactly. */
const RATIO_DIGITS = 13;

/** What went wrong, in a word: never a text of the function. */
export function spanProblem(outcome: InvocationOutcome): string | undefined {
  if (outcome.kind === "succeeded") return undefined;
  return outcome.kind === "functionError" ? reducedErrorType(outcome.errorType) : outcome.kind;
}
