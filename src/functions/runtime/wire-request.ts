import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { RequestHead } from "./request-head.ts";

/** What takes a request's body. */
export interface BodySink {
  /** Until the promise resolves nothing more is read. */
  take(piece: Buffer): Promise<void> | undefined;
  /** All of it has come. */
  end(): void;
  /** It broke off. */
  broken(): void;
}

/** So much is copied into one piece with its head; more than that costs less as two. */
const JOINED_BYTES_MAX = 64 * 1024;
const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

/** One request, and its answer: each written at once. */
export class WireRequest {
  readonly head: RequestHead;
  /** The same for all that come over one connection. */
  readonly socket: Socket;
  /** What stood behind its body. */
  trailers = NO_TRAILERS;
  #sink: BodySink | undefined;
  #onHungUp: (() => void) | undefined;
  #isAnswered = false;
  #isRead = false;
  #isBroken = false;

  constructor(head: RequestHead, socket: Socket) {
    this.head = head;
    this.socket = socket;
  }

  header(name: string): string | undefined {
    return this.head.headers.get(name);
  }

  /** Before whoever serves it returns; without that nobody gets the body. */
  receive(sink: BodySink): void {
    this.#sink = sink;
  }

  /** Whoever sent it hangs up before it is answered. */
  whenHungUp(tell: () => void): void {
    this.#onHungUp = tell;
  }

  /** Nothing more is read of it. */
  hangUp(): void {
    this.socket.destroy();
  }

  /** Once. `headers`: whole lines, each with its end. */
  answer(status: number, headers: string, body: string | Uint8Array): void {
    if (this.#isAnswered || this.socket.destroyed) return;
    this.#isAnswered = true;
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    const kept = this.head.isKept ? "" : "Connection: close\r\n";
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}${kept}Content-Length: ${length}\r\n\r\n`;
    if (typeof body === "string") this.socket.write(head + body);
    else this.#write(head, body);
    if (!this.head.isKept) this.socket.end();
  }

  #write(head: string, body: Uint8Array): void {
    if (body.length > JOINED_BYTES_MAX) {
      this.socket.cork();
      this.socket.write(head, "latin1");
      this.socket.write(body);
      this.socket.uncork();
      return;
    }
    const joined = Buffer.allocUnsafe(head.length + body.length);
    joined.write(head, "latin1");
    joined.set(body, head.length);
    this.socket.write(joined);
  }

  /** Another may come over its connection. */
  get isOver(): boolean {
    return this.#isAnswered && this.#isRead;
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  get isRead(): boolean {
    return this.#isRead;
  }

  take(piece: Buffer): Promise<void> | undefined {
    return this.#sink?.take(piece);
  }

  end(): void {
    if (this.#isRead || this.#isBroken) return;
    this.#isRead = true;
    this.#sink?.end();
  }

  broken(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    if (!this.#isRead) this.#sink?.broken();
    if (!this.#isAnswered) this.#onHungUp?.();
    this.#isAnswered = true;
  }
}
