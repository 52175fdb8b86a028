import { MillraceError } from "../model/errors.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import { type Connect, createConnect } from "../network/connect.ts";
import type { Clock } from "../ports/clock.ts";
import type { FunctionTarget, InvocationContext } from "../ports/function-target.ts";
import type { ResponseSink } from "../ports/response-sink.ts";
import { hasCredentials } from "../secrets/url-secrets.ts";
import { CallWatch } from "./call-watch.ts";
import { abandoned } from "./function-failure.ts";
import { HttpCall, type HttpCallOwner } from "./http-call.ts";
import { HttpConnection } from "./http-connection.ts";
import { requestHead, requestLine } from "./http-request.ts";
import { StreamedAnswer } from "./streamed-answer.ts";
import { SYSTEM_CLOCK } from "./system-clock.ts";

export interface HttpFunctionOptions {
  /**
   * Where events are posted: `http:` or `https:`, with path and query, without user name and password. Certificates are
   * verified; redirects are not followed.
   */
  readonly url: string;
  /**
   * Connections at once, one request on each; default 1,000. More calls wait for a free one, and their time runs. Set
   * it to the function's concurrency. Connections are made on demand and closed after seconds without use.
   */
  readonly connections?: number;
  /** How long a connection may take to be made, milliseconds; default 5,000. Longer is `unavailable`. */
  readonly connectTimeoutMs?: number;
  /**
   * A connection that is older is not used again but made anew, milliseconds; default 60,000. A name that has moved (a
   * new pod, the other side of a blue-green switch) is looked up then, which a connection that is always busy never
   * would.
   */
  readonly connectionAgeMs?: number;
  /** Default: the machine's time. */
  readonly clock?: Clock;
}

const CONNECTIONS = 1000;
const CONNECT_TIMEOUT_MS = 5000;
const CONNECTION_AGE_MS = 60_000;
/** Connections that were made at once are not all made anew at once: the next of each ten lives a tenth longer. */
const AGE_STEPS = 10;

/**
 * A function behind an HTTP server, by the HTTP function contract (http-function.md).
 * @throws MillraceError `ERR_MILLRACE_FUNCTION` when the URL or a number is not valid.
 */
export function createHttpFunction(options: HttpFunctionOptions): FunctionTarget {
  return new HttpFunction(options);
}

/**
 * A free-list of connections: taking one is O(1) however many there are, and the one used last, whose socket is surely
 * open, is taken first.
 */
class HttpFunction implements FunctionTarget, HttpCallOwner {
  readonly #requestLine: string;
  readonly #connect: Connect;
  readonly #clock: Clock;
  readonly #watch: CallWatch;
  readonly #connectionsMax: number;
  readonly #connectionAgeMs: number;
  readonly #connections = new Set<HttpConnection>();
  readonly #idle: HttpConnection[] = [];
  #renewed = 0;
  #waiting: HttpCall[] = [];
  #waitingHead = 0;
  #closed: Promise<void> | undefined;

  constructor(options: HttpFunctionOptions) {
    const url = parseUrl(options.url);
    this.#requestLine = requestLine(url);
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#watch = new CallWatch(this.#clock);
    this.#connectionsMax = positiveInteger("connections", options.connections ?? CONNECTIONS);
    const connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.#connect = createConnect(url, positiveInteger("connectTimeoutMs", connectTimeoutMs));
    this.#connectionAgeMs = positiveInteger("connectionAgeMs", options.connectionAgeMs ?? CONNECTION_AGE_MS);
  }

  invoke(
    payload: Uint8Array,
    context: InvocationContext,
    signal: AbortSignal,
    sink?: ResponseSink,
  ): Promise<InvocationOutcome> {
    if (signal.aborted || this.#closed !== undefined) return Promise.resolve(abandoned());
    return new Promise((resolve) => {
      const expiresAt = this.#clock.monotonic() + context.timeoutMs;
      const stream = sink && new StreamedAnswer(sink, this.#clock, "$LATEST");
      const call = new HttpCall(this, payload, context, signal, expiresAt, resolve, stream);
      this.#watch.add(call);
      const connection = this.#idle.pop() ?? this.#newConnection();
      if (connection === undefined) this.#waiting.push(call);
      else this.#send(call, connection);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  onSettled(call: HttpCall): void {
    this.#watch.remove(call);
  }

  onReleased(connection: HttpConnection): void {
    const released = this.#isAged(connection) ? this.#replaced(connection) : connection;
    // Later: inside of its error callbacks a client does not stand a new request.
    if (this.#waitingHead < this.#waiting.length) queueMicrotask(() => this.#reuse(released));
    else if (released === connection) this.#idle.push(connection);
    else this.#connections.delete(released);
  }

  resend(call: HttpCall, connection: HttpConnection): void {
    queueMicrotask(() => {
      if (call.isSettled) this.onReleased(connection);
      else this.#send(call, connection);
    });
  }

  monotonicMs(): number {
    return this.#clock.monotonic();
  }

  nowMs(): number {
    return this.#clock.now();
  }

  #send(call: HttpCall, connection: HttpConnection): void {
    call.connection = connection;
    const head = requestHead(this.#requestLine, call.context, call.payload.length, call.stream !== undefined);
    if (head === undefined) call.onError(new Error("a header of the call holds what no header may"));
    else connection.client.send(head, call.payload, call);
  }

  #reuse(connection: HttpConnection): void {
    const call = this.#nextWaiting();
    if (call === undefined) this.#idle.push(connection);
    else this.#send(call, connection);
  }

  /** First come, first served; calls that ended while they waited are passed over. */
  #nextWaiting(): HttpCall | undefined {
    while (this.#waitingHead < this.#waiting.length) {
      const call = this.#waiting[this.#waitingHead];
      this.#waitingHead += 1;
      if (call !== undefined && !call.isSettled) return call;
    }
    this.#waiting = [];
    this.#waitingHead = 0;
    return undefined;
  }

  #newConnection(): HttpConnection | undefined {
    if (this.#connections.size >= this.#connectionsMax) return undefined;
    const connection = new HttpConnection(this.#connect, this.#clock);
    this.#connections.add(connection);
    return connection;
  }

  #isAged(connection: HttpConnection): boolean {
    const share = 1 + (this.#renewed % AGE_STEPS) / AGE_STEPS;
    return connection.isOlderThan(this.#connectionAgeMs * share, this.#clock.monotonic());
  }

  /** Closes a connection whose answer has come whole, and gives one that is not made yet. */
  #replaced(connection: HttpConnection): HttpConnection {
    this.#renewed += 1;
    this.#connections.delete(connection);
    connection.client.close();
    return this.#newConnection() ?? connection;
  }

  async #close(): Promise<void> {
    this.#watch.close();
    for (const { client } of this.#connections) client.close();
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw invalid(`the URL of an HTTP function must begin with http:// or https:// and name a host`);
  }
  if (hasCredentials(url)) {
    throw invalid(`the URL of the HTTP function on ${url.host} holds a user name or password: remove them`);
  }
  return url;
}

function positiveInteger(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(`${name} of an HTTP function must be a whole number above 0, not ${value}`);
}

function invalid(message: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_FUNCTION", message);
}
