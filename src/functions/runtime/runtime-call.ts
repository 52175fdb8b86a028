import type { InvocationOutcome } from "../../model/outcome.ts";
import type { InvocationContext } from "../../ports/function-target.ts";
import type { WatchedCall } from "../call-watch.ts";
import { abandoned } from "../function-failure.ts";
import type { StreamedAnswer } from "../streamed-answer.ts";
import type { EnvironmentCall, RunFigures } from "./environment-parts.ts";
import type { EnvironmentSignal } from "./environment-state.ts";
import type { AnswerStream, RuntimeEvent } from "./listener.ts";

/** What a call needs of the pool that it waits in. */
interface CallPlace {
  onWaitedTooLong(call: RuntimeCall): void;
  onCallLeft(call: RuntimeCall, outcome: InvocationOutcome): void;
  unwatch(call: RuntimeCall): void;
}

export interface RuntimeCallOptions {
  readonly payload: Uint8Array;
  readonly context: InvocationContext;
  readonly signal: AbortSignal;
  readonly traceId: string;
  /** JSON. */
  readonly clientContext: string | undefined;
  /** Whoever called takes the answer while it is written. */
  readonly stream?: StreamedAnswer | undefined;
  onSettled(outcome: InvocationOutcome, figures: RunFigures): void;
}

/** One invocation: it waits for an environment, then its time runs in one. */
export class RuntimeCall implements WatchedCall, EnvironmentCall {
  watchIndex = -1;
  begunMs = 0;
  expiresAt = 0;
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly wantsOutput: boolean;
  readonly #options: RuntimeCallOptions;
  #place: CallPlace | undefined;
  #environment: { signal(signal: EnvironmentSignal): unknown } | undefined;
  #deadlineMs = 0;
  #isSettled = false;

  constructor(options: RuntimeCallOptions) {
    this.#options = options;
    this.signal = options.signal;
    this.requestId = options.context.requestId;
    this.wantsOutput = options.context.logs === "tail";
  }

  wait(untilMs: number, place: CallPlace): void {
    this.expiresAt = untilMs;
    this.#place = place;
  }

  /** Its time runs from now. */
  begin(
    environment: { signal(signal: EnvironmentSignal): unknown },
    monotonicMs: number,
    wallMs: number,
  ): void {
    const { timeoutMs } = this.#options.context;
    this.#environment = environment;
    this.begunMs = monotonicMs;
    this.expiresAt = monotonicMs + timeoutMs;
    this.#deadlineMs = wallMs + timeoutMs;
  }

  event(): RuntimeEvent {
    const { payload, context, traceId, clientContext } = this.#options;
    const { requestId, functionArn } = context;
    return { requestId, functionArn, deadlineMs: this.#deadlineMs, traceId, clientContext, payload };
  }

  openStream(contentType: string | undefined): AnswerStream | undefined {
    const { stream } = this.#options;
    return stream?.open(contentType) === true ? stream : undefined;
  }

  get isStreamed(): boolean {
    return this.#options.stream?.isOpen === true;
  }

  settle(outcome: InvocationOutcome, figures: RunFigures): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#place?.unwatch(this);
    const { stream } = this.#options;
    this.#options.onSettled(stream?.ended(outcome) ?? outcome, figures);
  }

  onExpired(): void {
    this.#place?.unwatch(this);
    if (this.#environment === undefined) this.#place?.onWaitedTooLong(this);
    else this.#environment.signal({ kind: "timeout", id: this.requestId });
  }

  onAbandoned(): void {
    this.#place?.unwatch(this);
    if (this.#environment === undefined) this.#place?.onCallLeft(this, abandoned());
    else this.#environment.signal({ kind: "abandon", id: this.requestId });
  }
}
