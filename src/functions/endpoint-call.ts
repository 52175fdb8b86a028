import type { InvocationOutcome } from "../model/outcome.ts";
import type { FunctionTarget, InvocationContext } from "../ports/function-target.ts";
import type { ResponseSink } from "../ports/response-sink.ts";
import type { CallWatch, WatchedCall } from "./call-watch.ts";
import { abandoned } from "./function-failure.ts";

export interface EndpointCallOptions {
  readonly payload: Uint8Array;
  readonly context: InvocationContext;
  readonly signal: AbortSignal;
  readonly sink: ResponseSink | undefined;
  /** On the clock's monotonic scale. */
  readonly expiresAt: number;
  readonly resolve: (outcome: InvocationOutcome) => void;
  readonly watch: CallWatch;
}

/** A call that waits for a server with room. Its time runs meanwhile. */
export class EndpointCall implements WatchedCall {
  watchIndex = -1;
  readonly expiresAt: number;
  readonly signal: AbortSignal;
  readonly refusedBy = new Set<string>();
  /** What the last one said. */
  refusal: InvocationOutcome | undefined;
  isSettled = false;
  readonly #options: EndpointCallOptions;

  constructor(options: EndpointCallOptions) {
    this.#options = options;
    this.expiresAt = options.expiresAt;
    this.signal = options.signal;
    options.watch.add(this);
  }

  /** The rest of its time is the server's. */
  runBy(target: FunctionTarget, nowMs: number): Promise<InvocationOutcome> {
    const { watch, payload, context, signal, sink } = this.#options;
    watch.remove(this);
    const timeoutMs = Math.max(1, this.expiresAt - nowMs);
    return target.invoke(payload, { ...context, timeoutMs }, signal, sink);
  }

  refused(by: string, outcome: InvocationOutcome): void {
    this.refusedBy.add(by);
    this.refusal = outcome;
    if (this.signal.aborted) this.settle(outcome);
    else this.#options.watch.add(this);
  }

  settle(outcome: InvocationOutcome): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.#options.watch.remove(this);
    this.#options.resolve(outcome);
  }

  /** No server had room for it in time. */
  onExpired(): void {
    this.settle(this.refusal ?? { kind: "throttled", retryAfterMs: undefined });
  }

  onAbandoned(): void {
    this.settle(abandoned());
  }
}
