import type { NodeHttpHandler } from "@smithy/node-http-handler";
import type { WireClient } from "../network/wire-client.ts";
import { isHeaderValue, type WireHead } from "../network/wire-head.ts";
import { type PooledExchange, WirePool, type WirePoolLimits } from "../network/wire-pool.ts";

/** The SDK's own words for what goes through a request handler. */
export type HttpRequest = Parameters<NodeHttpHandler["handle"]>[0];
type HttpOptions = Parameters<NodeHttpHandler["handle"]>[1];
type HttpResult = Awaited<ReturnType<NodeHttpHandler["handle"]>>;
type Resolve = (response: LeanResponse) => void;

export interface HttpHandlerLimits {
  readonly connectMsMax: number;
  readonly connectionsMax: number;
  readonly responseBytesMax: number;
  /** A request on whose connection nothing moves for so long has failed. Default: its call's deadline alone ends it. */
  readonly silenceMsMax?: number | undefined;
}

/** A response with its whole body, in memory. */
export interface LeanResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export function originOf({ protocol, hostname, port }: HttpRequest): string {
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
}

/** The service's own word for the moment of its answer, epoch milliseconds: no clock of the host is in it. */
export function dateMsOf(answer: LeanResponse | undefined): number | undefined {
  const dateMs = Date.parse(answer?.headers["date"] ?? "");
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

/** The SDK's header names its own version and more, and costs a twelfth of a call to make. */
const USER_AGENT = "millrace";
/** Written by us. */
const OWN_HEADERS: ReadonlySet<string> = new Set(["connection", "content-length", "host", "user-agent"]);

/**
 * Sends the SDK's requests over HTTP/1.1 by our own client (decision 0065). It waits for as long as the caller does:
 * its callers end their calls by `abortSignal`. Failures have the names and codes that the SDK's handler gives them.
 */
export class LeanHttp {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #limits: HttpHandlerLimits & WirePoolLimits;
  readonly #pools = new Map<string, WirePool>();
  #isDestroyed = false;

  constructor({ silenceMsMax = 0, ...limits }: HttpHandlerLimits) {
    this.#limits = { ...limits, silenceMsMax };
  }

  /** What the SDK would call; the clients of this floor call `send`. */
  async handle(request: HttpRequest, options: HttpOptions = {}): Promise<HttpResult> {
    const { abortSignal } = options;
    return {
      response: await this.send(request, abortSignal instanceof AbortSignal ? abortSignal : undefined),
    };
  }

  send(request: HttpRequest, signal: AbortSignal | undefined): Promise<LeanResponse> {
    const { method, path, headers, body } = request;
    const named = Object.entries(headers).flatMap(([name, value]) => [name.toLowerCase(), value]);
    return this.#exchange(originOf(request), `${method} ${path}`, named, body ?? "", signal);
  }

  /** A request of a call that is made by hand. `headers`: all of them, names in lower case and values in turn. */
  sendSigned(
    { origin, path }: { readonly origin: string; readonly path: string },
    headers: readonly string[],
    body: string,
    signal: AbortSignal | undefined,
  ): Promise<LeanResponse> {
    return this.#exchange(origin, `POST ${path}`, headers, body, signal);
  }

  #exchange(
    origin: string,
    what: string,
    headers: readonly string[],
    body: string | Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<LeanResponse> {
    if (signal?.aborted) return Promise.reject(abortError());
    const head = headOf(what, origin, headers, Buffer.byteLength(body));
    if (head === undefined)
      return Promise.reject(new TypeError("A header of the request holds what none may."));
    const pool = this.#poolOf(origin);
    return new Promise((resolve, reject) => {
      const bytesMax = this.#limits.responseBytesMax;
      pool.run(new HttpExchange({ head, body, pool, bytesMax, signal, resolve, reject }));
    });
  }

  #poolOf(origin: string): WirePool {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      pool = new WirePool(origin, this.#limits);
      if (this.#isDestroyed) pool.destroy();
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  destroy(): void {
    this.#isDestroyed = true;
    for (const pool of this.#pools.values()) pool.destroy();
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

/** `undefined`: one of them would end its header, or is none. */
function headOf(what: string, origin: string, headers: readonly string[], bytes: number): string | undefined {
  let host = origin.slice(origin.indexOf("//") + 2);
  let lines = "";
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    if (name === "host") host = value;
    if (!OWN_HEADERS.has(name)) lines += `${name}: ${value}\r\n`;
    if (!isHeaderValue(value) || !isHeaderValue(name)) return undefined;
  }
  if (!isHeaderValue(what)) return undefined;
  return `${what} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${lines}user-agent: ${USER_AGENT}\r\ncontent-length: ${bytes}\r\n\r\n`;
}

interface HttpExchangeOptions {
  readonly head: string;
  readonly body: string | Uint8Array;
  readonly pool: WirePool;
  readonly bytesMax: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: Resolve;
  readonly reject: (error: Error) => void;
}

const NO_HEADERS: ReadonlyMap<string, string> = new Map();

/** One request and its whole response. */
class HttpExchange implements PooledExchange {
  readonly #options: HttpExchangeOptions;
  #client: WireClient | undefined;
  #status = 0;
  #headers = NO_HEADERS;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(options: HttpExchangeOptions) {
    this.#options = options;
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  start(client: WireClient): void {
    this.#client = client;
    if (this.#options.signal?.aborted) this.#giveBack();
    else client.send(this.#options.head, this.#options.body, this);
  }

  /** Aborted while its connection was being made: nothing is sent. */
  onSending(): boolean {
    return this.#options.signal?.aborted !== true;
  }

  onHead({ status, headers }: WireHead): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onBytes(bytes: Buffer): boolean {
    const { bytesMax } = this.#options;
    this.#bytes += bytes.length;
    if (this.#bytes > bytesMax) this.#client?.abort(this, tooLarge(bytesMax));
    else this.#chunks.push(bytes);
    return true;
  }

  onComplete(): void {
    const { signal, resolve } = this.#options;
    signal?.removeEventListener("abort", this.#onAbort);
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#giveBack();
    resolve({ statusCode: this.#status, headers: Object.fromEntries(this.#headers), body });
  }

  onError(error: Error): void {
    const { signal, reject } = this.#options;
    signal?.removeEventListener("abort", this.#onAbort);
    this.#giveBack();
    reject(asTheSdkKnows(error));
  }

  #giveBack(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) this.#options.pool.release(client);
  }

  /** At once: a connection that is being made can only be given up later. */
  readonly #onAbort = (): void => {
    this.#options.reject(abortError());
    this.#client?.abort(this, abortError());
  };
}

function abortError(): Error {
  return Object.assign(new Error("Request aborted"), { name: "AbortError" });
}

function tooLarge(bytesMax: number): Error {
  const text = `The response is larger than ${bytesMax} bytes.`;
  return Object.assign(new Error(text), { name: "ResponseTooLarge" });
}

/** Failures of the network, and the many of a host with many addresses, by one name or code. */
function asTheSdkKnows(error: Error): Error {
  const code: unknown = Reflect.get(error, "code");
  if (typeof code !== "string") return error;
  const known = Object.assign(new Error(error.message, { cause: error }), { code });
  if (code === "ETIMEDOUT") known.name = "TimeoutError";
  return known;
}
