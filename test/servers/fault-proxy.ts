import {
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

export type Fault =
  | { readonly kind: "refuse"; readonly status: number; readonly code: string }
  | { readonly kind: "page" }
  | { readonly kind: "reset" }
  | { readonly kind: "hang" };

const SKEW_MS_MAX = 5 * 60_000;

/**
 * Stands before a server that speaks AWS's JSON protocol and is ruder than it: it refuses, resets and hangs as it is
 * told, has a clock of its own by which it judges signatures as AWS does, and knows which keys are good.
 */
export class FaultProxy {
  /** Of the next requests, in order; then `always`, if it is set. */
  readonly next: Fault[] = [];
  always: Fault | undefined;
  clockAheadMs = 0;
  /** By access key; others are good. */
  readonly refusedKeys = new Map<string, string>();
  requests = 0;
  readonly #waiting: (() => void)[] = [];
  /** Of signatures, for their time. */
  timeRefusals = 0;
  readonly #server: Server;
  readonly #target: string;

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => this.#handle(request, response));
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves with the next request. */
  asked(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.requests += 1;
    for (const resolve of this.#waiting.splice(0)) resolve();
    const fault = this.next.shift() ?? this.always ?? this.#refusalOf(request);
    switch (fault?.kind) {
      case "reset":
        request.socket.destroy();
        break;
      case "hang":
        break;
      case "page":
        this.#answer(response, 503, "<html>Service Unavailable</html>");
        break;
      case "refuse":
        this.#answer(
          response,
          fault.status,
          JSON.stringify({ __type: fault.code, message: "a secret text" }),
        );
        break;
      case undefined:
        this.#forward(request, response);
    }
  }

  #refusalOf({ headers }: IncomingMessage): Fault | undefined {
    const key = /Credential=([^/]+)\//.exec(headers.authorization ?? "")?.[1] ?? "";
    const code = this.refusedKeys.get(key);
    if (code !== undefined) return { kind: "refuse", status: 400, code };
    const signed = String(headers["x-amz-date"]);
    const signedMs = Date.parse(
      signed.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, "$1-$2-$3T$4:$5:$6Z"),
    );
    if (Math.abs(signedMs - this.#nowMs()) <= SKEW_MS_MAX) return undefined;
    this.timeRefusals += 1;
    return { kind: "refuse", status: 403, code: "InvalidSignatureException" };
  }

  #nowMs(): number {
    return Date.now() + this.clockAheadMs;
  }

  #answer(response: ServerResponse, status: number, body: string): void {
    const date = new Date(this.#nowMs()).toUTCString();
    response.writeHead(status, { "content-type": "application/x-amz-json-1.0", date }).end(body);
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const { method, url, headers } = request;
    const outgoing = forward(new URL(url ?? "/", this.#target), { method, headers }, (answer) => {
      const date = new Date(this.#nowMs()).toUTCString();
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, date });
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    request.pipe(outgoing);
  }
}
