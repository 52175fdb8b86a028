import { turn } from "../lib/steps.ts";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { WireExchange } from "../network/wire-client.ts";
import type { WireHead } from "../network/wire-head.ts";
import type { InvocationContext } from "../ports/function-target.ts";
import type { WatchedCall } from "./call-watch.ts";
import { abandoned, functionError, responseTooLarge } from "./function-failure.ts";
import type { HttpConnection } from "./http-connection.ts";
import { outcomeOfHead, outcomeOfResponse, type ResponseHead, readResponseHead } from "./http-response.ts";
import type { StreamedAnswer } from "./streamed-answer.ts";

/** How much is kept of the body of a response that is no success: enough for a type, a message and a trace. */
const ERROR_BODY_BYTES_MAX = 256 * 1024;

/** What a call needs of its target. */
export interface HttpCallOwner {
  /** The call has its outcome; called once. */
  onSettled(call: HttpCall): void;
  /** The connection may carry another. Called once, before or after `onSettled`. */
  onReleased(connection: HttpConnection): void;
  /** Sends the call once more, over a new socket of the connection. */
  resend(call: HttpCall, connection: HttpConnection): void;
  nowMs(): number;
  monotonicMs(): number;
}

/**
 * One request, and at the same time who hears of its answer, which spares a second object. Settled (the promise has its
 * outcome) and released (the connection is free) are two moments: a call over its deadline is settled at once, while
 * its connection may still be connecting.
 *
 * Whether the request was sent decides between `unavailable` and a function error. `onSending` is called directly
 * before the first byte is written, so: not called, certainly not sent; called, the function may have run.
 */
export class HttpCall implements WireExchange, WatchedCall {
  watchIndex = -1;
  readonly payload: Uint8Array;
  readonly context: InvocationContext;
  readonly signal: AbortSignal;
  readonly expiresAt: number;
  /** Whoever called takes the response while it is written. */
  readonly stream: StreamedAnswer | undefined;
  connection: HttpConnection | undefined;
  readonly #owner: HttpCallOwner;
  readonly #resolve: (outcome: InvocationOutcome) => void;
  #isSettled = false;
  #isSent = false;
  #head: ResponseHead | undefined;
  #bytesMax = RESPONSE_BYTES_MAX;
  #bytes = 0;
  #body: Uint8Array | undefined;
  /** Once a body comes in pieces: what they are copied into. `#body` is the part of it that is filled. */
  #memory: Buffer | undefined;
  #sentMs = 0;
  /** Informational answers so far. */
  #informed = 0;
  #isResent = false;

  constructor(
    owner: HttpCallOwner,
    payload: Uint8Array,
    context: InvocationContext,
    signal: AbortSignal,
    expiresAt: number,
    resolve: (outcome: InvocationOutcome) => void,
    stream: StreamedAnswer | undefined,
  ) {
    this.#owner = owner;
    this.payload = payload;
    this.context = context;
    this.signal = signal;
    this.expiresAt = expiresAt;
    this.#resolve = resolve;
    this.stream = stream;
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

  onSending(): boolean {
    // It ended while its connection was being made.
    if (this.#isSettled) return false;
    this.#isSent = true;
    this.#sentMs = this.#owner.monotonicMs();
    return true;
  }

  onHead({ status, headers }: WireHead): void {
    if (status < 200) {
      if (++this.#informed > INFORMED_MAX) this.#end(lostAfterSending("it sent 1xx answers without end"));
      return;
    }
    this.#head = readResponseHead(status, headers);
    if (status >= 300 || this.#head.functionError !== undefined) this.#bytesMax = ERROR_BODY_BYTES_MAX;
  }

  onBytes(chunk: Buffer, pieces: number): boolean {
    if (this.stream !== undefined && this.#head?.isStreamed === true)
      return this.#pour(this.stream, chunk, pieces);
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax) {
      this.#endOversized();
      return true;
    }
    // A view of what the socket read, which nobody writes to again: kept as it is.
    if (this.#body === undefined) {
      this.#body = chunk;
      return true;
    }
    this.#body = this.#appended(this.#body, chunk);
    return this.#mayGoOn(chunk.length, pieces);
  }

  /** No faster than it is taken. A response that is longer than any is cut, as on Lambda, and none the worse. */
  #pour(stream: StreamedAnswer, chunk: Buffer, pieces: number): boolean {
    if (this.#isSettled) return true;
    if (!stream.isOpen) stream.open(this.#head?.contentType);
    const taken = stream.write(chunk);
    if (stream.isFull) this.#end({ kind: "succeeded", payload: EMPTY });
    if (taken === undefined || stream.isFull) return this.#mayGoOn(chunk.length, pieces);
    void taken.then(() => this.connection?.client.resume(this));
    return false;
  }

  /**
   * A socket gives up to 2 MB in one turn of the event loop, and a server may cut them into as many pieces: others go
   * between (I25). False: no more comes until the client is told to.
   */
  #mayGoOn(bytes: number, pieces: number): boolean {
    turn.count(bytes, pieces);
    if (!turn.isFullWith(bytes, pieces)) return true;
    setImmediate(() => this.connection?.client.resume(this));
    return false;
  }

  onComplete(trailers: ReadonlyMap<string, string>): void {
    this.connection?.answered();
    if (!this.#isSettled) this.#settle(this.#outcomeOfWhole(trailers));
    this.#release();
  }

  onError(error: Error): void {
    if (this.#wasNeverProcessed()) {
      this.#sendAgain();
      return;
    }
    if (!this.#isSettled) this.#settle(this.#outcomeOfError(error));
    this.#release();
  }

  /** Settles before the connection lets go: the outcome is certain, what the socket does later is not. */
  #end(outcome: InvocationOutcome): void {
    if (this.#isSettled) return;
    this.#settle(outcome);
    if (this.#isSent) this.connection?.client.abort(this, ENDED);
  }

  #endOversized(): void {
    const head = this.#head;
    const isSuccess = head !== undefined && head.status < 300 && head.functionError === undefined;
    this.#end(isSuccess ? responseTooLarge() : this.#outcomeOfResponse());
  }

  #settle(outcome: InvocationOutcome): void {
    this.#isSettled = true;
    this.#owner.onSettled(this);
    this.#resolve(this.stream?.ended(outcome) ?? outcome);
  }

  #release(): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.connection = undefined;
    this.#owner.onReleased(connection);
  }

  /**
   * The server closed the idle connection while the request was on its way: nothing came back, and at once. It is sent
   * again over a new one, a single time, so that a server that crashes on it is still found out.
   */
  #wasNeverProcessed(): boolean {
    if (this.#isSettled || this.#isResent || !this.#isSent || this.#head !== undefined) return false;
    return this.connection?.isReused === true && this.#owner.monotonicMs() - this.#sentMs <= CLOSING_RACE_MS;
  }

  #sendAgain(): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.#isResent = true;
    this.#isSent = false;
    this.connection = undefined;
    this.#owner.resend(this, connection);
  }

  /** A piece keeps the whole of what the socket read in memory, however small it is itself: pieces are copied. */
  #appended(body: Uint8Array, chunk: Buffer): Uint8Array {
    const length = body.length + chunk.length;
    if (this.#memory === undefined || this.#memory.length < length) {
      const larger = Buffer.allocUnsafe(
        Math.min(this.#bytesMax, Math.max(length, 2 * body.length, PIECES_BYTES)),
      );
      larger.set(body);
      this.#memory = larger;
    }
    this.#memory.set(chunk, body.length);
    return this.#memory.subarray(0, length);
  }

  #outcomeOfWhole(trailers: ReadonlyMap<string, string>): InvocationOutcome {
    const outcome = this.#outcomeOfResponse(trailers);
    const isEmptyStream = this.#head?.isStreamed === true && this.stream?.isOpen === false;
    if (isEmptyStream && outcome.kind === "succeeded") this.stream?.open(this.#head?.contentType);
    return outcome;
  }

  #outcomeOfResponse(trailers = NO_TRAILERS): InvocationOutcome {
    if (this.#head === undefined) return lostAfterSending("the response had no head");
    return outcomeOfResponse(this.#head, this.#body ?? EMPTY, this.#owner.nowMs(), trailers);
  }

  #outcomeAtDeadline(): InvocationOutcome {
    const decided = this.#outcomeOfHead();
    if (decided !== undefined) return decided;
    if (this.#isSent) return { kind: "timedOut" };
    if (this.connection === undefined) return { kind: "throttled", retryAfterMs: undefined };
    return { kind: "unavailable", message: "No connection to the function's server before the deadline." };
  }

  #outcomeOfError(error: Error): InvocationOutcome {
    const decided = this.#outcomeOfHead();
    if (decided !== undefined) return decided;
    if (!this.#isSent) {
      return { kind: "unavailable", message: `The request could not be sent: ${error.message}` };
    }
    return lostAfterSending(error.message);
  }

  #outcomeOfHead(): InvocationOutcome | undefined {
    return this.#head === undefined ? undefined : outcomeOfHead(this.#head, this.#owner.nowMs());
  }
}

/** An answer cannot have been made and lost in this time; a connection that was idle can have been closed. */
const CLOSING_RACE_MS = 100;
const PIECES_BYTES = 16 * 1024;
/** Informational answers before the one that counts: who sends more keeps us busy until the call's time is up. */
const INFORMED_MAX = 100;
const EMPTY = new Uint8Array(0);
const NO_TRAILERS: ReadonlyMap<string, string> = new Map();
const ENDED = new Error("The call has ended.");

/**
 * Whether the function ran is not known, so it is taken as run: a record too often is better than an attempt uncounted.
 */
function lostAfterSending(reason: string): InvocationOutcome {
  return functionError(
    "Function.ConnectionLost",
    `The connection ended after the request was sent and before a whole response came: ${reason}`,
  );
}
