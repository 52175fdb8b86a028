import type { Client, Dispatcher } from "undici";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { InvocationContext } from "../ports/function-target.ts";
import type { WatchedCall } from "./call-watch.ts";
import { abandoned, functionError, responseTooLarge } from "./function-failure.ts";
import { outcomeOfHead, outcomeOfResponse, type ResponseHead, readResponseHead } from "./http-response.ts";

/** Of the body of a response that is not a success only this much is kept: enough for a type, a message and a trace. */
const ERROR_BODY_BYTES_MAX = 256 * 1024;

/** What a call needs of its target. */
export interface HttpCallOwner {
  /** The call has its outcome; called once. */
  onSettled(call: HttpCall): void;
  /** undici is done with the call: its connection may carry another. Called once, before or after `onSettled`. */
  onReleased(client: Client): void;
  nowMs(): number;
}

/**
 * One request, and at the same time undici's handler for it, which spares a second object. Settled (the promise has its
 * outcome) and released (the connection is free) are two moments: a call over its deadline is settled at once, while
 * its connection may still be connecting.
 *
 * Whether the request was sent decides between `unavailable` and a function error. undici calls `onConnect` directly
 * before it writes to the socket, so: not called, certainly not sent; called, the function may have run.
 */
export class HttpCall implements Dispatcher.DispatchHandler, WatchedCall {
  watchIndex = -1;
  readonly payload: Uint8Array;
  readonly context: InvocationContext;
  readonly signal: AbortSignal;
  readonly expiresAt: number;
  client: Client | undefined;
  readonly #owner: HttpCallOwner;
  readonly #resolve: (outcome: InvocationOutcome) => void;
  #isSettled = false;
  #abort: ((error?: Error) => void) | undefined;
  #head: ResponseHead | undefined;
  #bytesMax = RESPONSE_BYTES_MAX;
  #bytes = 0;
  #body: Uint8Array | undefined;
  #laterChunks: Uint8Array[] | undefined;

  constructor(
    owner: HttpCallOwner,
    payload: Uint8Array,
    context: InvocationContext,
    signal: AbortSignal,
    expiresAt: number,
    resolve: (outcome: InvocationOutcome) => void,
  ) {
    this.#owner = owner;
    this.payload = payload;
    this.context = context;
    this.signal = signal;
    this.expiresAt = expiresAt;
    this.#resolve = resolve;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  onExpired(): void {
    this.#end(this.#outcomeAtDeadline());
  }

  onAbandoned(): void {
    this.#end(abandoned());
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    // The call ended while its connection was being made: nothing is sent.
    if (this.#isSettled) abort();
  }

  onHeaders(status: number, rawHeaders: Buffer[] | string[] | null): boolean {
    if (status < 200) return true;
    this.#head = readResponseHead(status, (rawHeaders ?? []) as Buffer[]);
    if (status >= 300 || this.#head.functionError !== undefined) this.#bytesMax = ERROR_BODY_BYTES_MAX;
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax) {
      this.#endOversized();
      return true;
    }
    // A view of what the socket read, which nobody writes to again: kept as it is.
    if (this.#body === undefined) this.#body = chunk;
    else if (this.#laterChunks === undefined) this.#laterChunks = [chunk];
    else this.#laterChunks.push(chunk);
    return true;
  }

  onComplete(): void {
    if (!this.#isSettled) this.#settle(this.#outcomeOfResponse());
    this.#release();
  }

  onError(error: Error): void {
    if (!this.#isSettled) this.#settle(this.#outcomeOfError(error));
    this.#release();
  }

  /** Settles before the connection lets go: the outcome is certain, what the socket does later is not. */
  #end(outcome: InvocationOutcome): void {
    if (this.#isSettled) return;
    this.#settle(outcome);
    this.#abort?.();
  }

  #endOversized(): void {
    const head = this.#head;
    const isSuccess = head !== undefined && head.status < 300 && head.functionError === undefined;
    this.#end(isSuccess ? responseTooLarge() : this.#outcomeOfResponse());
  }

  #settle(outcome: InvocationOutcome): void {
    this.#isSettled = true;
    this.#owner.onSettled(this);
    this.#resolve(outcome);
  }

  #release(): void {
    const client = this.client;
    if (client === undefined) return;
    this.client = undefined;
    this.#owner.onReleased(client);
  }

  #outcomeOfResponse(): InvocationOutcome {
    if (this.#head === undefined) return lostAfterSending("the response had no head");
    return outcomeOfResponse(this.#head, this.#bodyBytes(), this.#owner.nowMs());
  }

  #bodyBytes(): Uint8Array {
    if (this.#laterChunks !== undefined && this.#body !== undefined) {
      return Buffer.concat([this.#body, ...this.#laterChunks]);
    }
    return this.#body ?? EMPTY;
  }

  #outcomeAtDeadline(): InvocationOutcome {
    const decided = this.#outcomeOfHead();
    if (decided !== undefined) return decided;
    if (this.#abort !== undefined) return { kind: "timedOut" };
    if (this.client === undefined) return { kind: "throttled", retryAfterMs: undefined };
    return { kind: "unavailable", message: "No connection to the function's server before the deadline." };
  }

  #outcomeOfError(error: Error): InvocationOutcome {
    const decided = this.#outcomeOfHead();
    if (decided !== undefined) return decided;
    if (this.#abort === undefined) {
      return { kind: "unavailable", message: `The request could not be sent: ${error.message}` };
    }
    return lostAfterSending(error.message);
  }

  #outcomeOfHead(): InvocationOutcome | undefined {
    return this.#head === undefined ? undefined : outcomeOfHead(this.#head, this.#owner.nowMs());
  }
}

const EMPTY = new Uint8Array(0);

/** Whether the function ran is not known, so it is taken as run: a record too often is better than an attempt uncounted. */
function lostAfterSending(reason: string): InvocationOutcome {
  return functionError(
    "Function.ConnectionLost",
    `The connection ended after the request was sent and before a whole response came: ${reason}`,
  );
}
