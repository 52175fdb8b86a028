import type { Socket } from "node:net";
import { ChunkedBytes } from "./chunked-bytes.ts";
import type { Connect } from "./connect.ts";
import { type Idling, idleSockets } from "./idle-sockets.ts";
import { WireError } from "./wire-error.ts";
import { HEAD_BYTES_MAX, readWireHead, type WireHead } from "./wire-head.ts";

/** One request, and who hears of its answer. */
export interface WireExchange {
  /** Directly before the first byte is written: without it, certainly nothing was sent. False: it is not to be sent. */
  onSending(): boolean;
  /** Informational answers come first, each by itself. */
  onHead(head: WireHead): void;
  /** Bytes of the body, which came in so many chunks. False: no more until `resume`. */
  onBytes(bytes: Buffer, chunks: number): boolean;
  /** `trailers`: what stands behind a body in chunks, by names in lower case. */
  onComplete(trailers: ReadonlyMap<string, string>): void;
  /** There is no whole answer, and none comes. */
  onError(error: Error): void;
}

export interface WireClientOptions {
  /** A socket is open, and nothing was sent over it. */
  onConnected?(): void;
  /** An exchange in which nothing moves for so long has failed, within a second more. Default: never. */
  readonly silenceSecondsMax?: number;
}

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();
const HEAD_END = Buffer.from("\r\n\r\n");
/** Beyond, two writes cost less than the copy. */
const JOINED_BYTES_MAX = 16 * 1024;
/** Idle for longer, a connection is closed; sooner, by so much, where the server says when it does. */
const IDLE_SECONDS_MAX = 4;
const SERVERS_IDLE_SECONDS_MAX = 600;
const SERVERS_HEADWAY_SECONDS = 2;

/**
 * HTTP/1.1 over one socket at a time, one request after the other, none before the answer to the one before. It makes
 * the socket when there is something to send. It sets no timers, redirects nowhere and reads strictly: what could be
 * read in two ways is no answer, and a connection on which more comes than was asked for carries no other request.
 */
export class WireClient implements Idling {
  readonly #connect: Connect;
  readonly #options: WireClientOptions;
  #socket: Socket | undefined;
  #exchange: WireExchange | undefined;
  #request: { readonly head: string; readonly body: string | Uint8Array } | undefined;
  #begun: Buffer | undefined;
  #head: WireHead | undefined;
  #bytesLeft = 0;
  #chunked: ChunkedBytes | undefined;
  /** What was read and is not to be handed on yet. */
  #held: Buffer | undefined;
  /** Seconds that have ended since something moved. */
  #stillSeconds = 0;
  #idleSecondsMax = IDLE_SECONDS_MAX;
  #isClosed = false;
  /** What the last head said, since nearly all of a server's are the same. */
  #knownText = "";
  #knownHead: WireHead | undefined;

  constructor(connect: Connect, options: WireClientOptions = {}) {
    this.#connect = connect;
    this.#options = options;
  }

  /** `head`: Latin-1, with the empty line at its end. No other request may be under way. */
  send(head: string, body: string | Uint8Array, exchange: WireExchange): void {
    if (this.#exchange !== undefined) throw new Error("A connection carries one request at a time.");
    this.#exchange = exchange;
    this.#request = { head, body };
    if (this.#isClosed) this.#fail(new Error("The connection is closed."));
    else if (this.#socket === undefined) this.#connect((error, socket) => this.#onMade(error, socket));
    else this.#write(this.#socket);
  }

  /** Hangs up on an exchange whose request was sent; it hears of that. */
  abort(exchange: WireExchange, error: Error): void {
    if (this.#exchange === exchange && this.#request === undefined) this.#fail(error);
  }

  /** Goes on with the body of the exchange that is under way. */
  resume(exchange: WireExchange): void {
    if (this.#exchange !== exchange) return;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#readBody(exchange, held);
    if (this.#held === undefined) this.#socket?.resume();
  }

  close(): void {
    this.#isClosed = true;
    this.#fail(new Error("The connection is closed."));
  }

  onSecond(): void {
    this.#stillSeconds++;
    if (this.#exchange === undefined) {
      if (this.#stillSeconds >= this.#idleSecondsMax) this.#hangUp();
      return;
    }
    const { silenceSecondsMax = 0 } = this.#options;
    // The first of them was not whole.
    if (silenceSecondsMax > 0 && this.#stillSeconds > silenceSecondsMax && this.#held === undefined)
      this.#fail(new WireError("ETIMEDOUT", `nothing came for ${silenceSecondsMax} seconds`));
  }

  #onMade(error: Error | undefined, socket: Socket | undefined): void {
    if (this.#isClosed) socket?.destroy();
    if (socket === undefined || this.#isClosed) {
      this.#fail(error ?? new Error("The connection is closed."));
      return;
    }
    this.#socket = socket;
    this.#idleSecondsMax = IDLE_SECONDS_MAX;
    idleSockets.add(this);
    socket.on("data", (read: Buffer) => this.#onData(socket, read));
    socket.on("error", (cause: Error) => this.#onGone(socket, cause));
    socket.on("end", () => this.#onEnd(socket));
    socket.on("close", () => this.#onGone(socket, new WireError("ECONNRESET", "other side closed")));
    this.#options.onConnected?.();
    if (this.#exchange !== undefined) this.#write(socket);
  }

  #write(socket: Socket): void {
    const { head, body } = this.#request ?? { head: "", body: "" };
    this.#request = undefined;
    this.#stillSeconds = 0;
    if (this.#exchange?.onSending() !== true) {
      this.#over()?.onError(new Error("Nothing was sent."));
      return;
    }
    const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    if (bytes > JOINED_BYTES_MAX) {
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
      return;
    }
    const whole = Buffer.allocUnsafe(head.length + bytes);
    whole.write(head, 0, "latin1");
    if (typeof body === "string") whole.write(body, head.length);
    else whole.set(body, head.length);
    socket.write(whole);
  }

  #onData(socket: Socket, read: Buffer): void {
    if (socket !== this.#socket) return;
    this.#stillSeconds = 0;
    if (this.#exchange === undefined) this.#hangUp();
    else if (this.#held !== undefined) this.#held = Buffer.concat([this.#held, read]);
    else if (this.#head !== undefined) this.#readBody(this.#exchange, read);
    else this.#readHeads(this.#exchange, read);
  }

  #readHeads(exchange: WireExchange, read: Buffer): void {
    let bytes = this.#begun === undefined ? read : Buffer.concat([this.#begun, read]);
    this.#begun = undefined;
    while (this.#exchange === exchange) {
      const end = bytes.indexOf(HEAD_END);
      if (end > HEAD_BYTES_MAX || (end < 0 && bytes.length > HEAD_BYTES_MAX)) {
        this.#fail(
          new WireError("ERR_HTTP_ANSWER", `the head of the answer has more than ${HEAD_BYTES_MAX} bytes`),
        );
        return;
      }
      if (end < 0) {
        this.#begun = bytes.length === 0 ? undefined : bytes;
        return;
      }
      const head = this.#headOf(bytes.toString("latin1", 0, end));
      bytes = bytes.subarray(end + HEAD_END.length);
      if (head === undefined || head.status === 101) {
        this.#fail(
          new WireError(
            "ERR_HTTP_ANSWER",
            head === undefined ? "the answer is no HTTP/1.1" : "it switched protocols",
          ),
        );
        return;
      }
      exchange.onHead(head);
      if (head.status < 200) continue;
      this.#beginBody(exchange, head, bytes);
      return;
    }
  }

  #headOf(text: string): WireHead | undefined {
    if (text === this.#knownText) return this.#knownHead;
    this.#knownHead = readWireHead(text);
    this.#knownText = text;
    return this.#knownHead;
  }

  #beginBody(exchange: WireExchange, head: WireHead, bytes: Buffer): void {
    if (this.#exchange !== exchange) return;
    this.#head = head;
    this.#chunked = head.body === "chunked" ? new ChunkedBytes() : undefined;
    this.#bytesLeft = typeof head.body === "number" ? head.body : Number.POSITIVE_INFINITY;
    this.#readBody(exchange, bytes);
  }

  #readBody(exchange: WireExchange, read: Buffer): void {
    if (this.#chunked !== undefined) {
      this.#readChunks(exchange, this.#chunked, read);
      return;
    }
    const bytes = Math.min(read.length, this.#bytesLeft);
    this.#bytesLeft -= bytes;
    const isWanted =
      bytes === 0 || exchange.onBytes(bytes === read.length ? read : read.subarray(0, bytes), 1);
    if (this.#exchange !== exchange) return;
    if (this.#bytesLeft === 0) this.#complete(bytes < read.length);
    else if (!isWanted) this.#hold(read.subarray(bytes));
  }

  #readChunks(exchange: WireExchange, chunked: ChunkedBytes, read: Buffer): void {
    let at = 0;
    do {
      const bytes = chunked.take(read, at);
      at = chunked.at;
      const isWanted = bytes.length === 0 || exchange.onBytes(bytes, chunked.chunks);
      if (this.#exchange !== exchange) return;
      if (chunked.isMalformed)
        this.#fail(new WireError("ERR_HTTP_ANSWER", "the chunks of the answer cannot be read"));
      else if (chunked.hasEnded) this.#complete(at < read.length);
      else if (!isWanted) {
        this.#hold(read.subarray(at));
        return;
      }
    } while (this.#exchange === exchange && at < read.length);
  }

  #hold(rest: Buffer): void {
    this.#held = rest;
    this.#socket?.pause();
  }

  /** `hasMore`: something stands behind the answer that nobody asked for. */
  #complete(hasMore: boolean): void {
    const { isKept, keptMs } = this.#head ?? { isKept: false, keptMs: undefined };
    if (keptMs !== undefined) this.#idleSecondsMax = idleSecondsOf(keptMs);
    // plant: a-connection-with-something-left-over-is-kept
    if (!isKept || hasMore || this.#idleSecondsMax <= 0) this.#hangUp();
    const trailers = this.#chunked?.trailers ?? NO_TRAILERS;
    this.#over()?.onComplete(trailers);
  }

  #onEnd(socket: Socket): void {
    if (socket !== this.#socket) return;
    const isRest = this.#head?.body === "rest" && this.#held === undefined;
    if (isRest) this.#complete(false);
    else this.#fail(new WireError("ECONNRESET", "other side closed"));
  }

  #onGone(socket: Socket, error: Error): void {
    if (socket === this.#socket) this.#fail(error);
  }

  #fail(error: Error): void {
    this.#hangUp();
    this.#over()?.onError(error);
  }

  #hangUp(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    idleSockets.remove(this);
    // Without a listener an error that comes late would end the process.
    socket.on("error", () => {});
    socket.destroy();
  }

  /** The client can carry another request from here on. */
  #over(): WireExchange | undefined {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#request = undefined;
    this.#begun = undefined;
    this.#head = undefined;
    this.#chunked = undefined;
    this.#held = undefined;
    this.#stillSeconds = 0;
    return exchange;
  }
}

function idleSecondsOf(serversMs: number): number {
  const seconds = Math.floor(serversMs / 1_000) - SERVERS_HEADWAY_SECONDS;
  return Math.min(seconds, SERVERS_IDLE_SECONDS_MAX);
}
