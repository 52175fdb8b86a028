import type { Socket } from "node:net";
import { ChunkedBody } from "./chunked-body.ts";
import { HEAD_BYTES_MAX, readRequestHead } from "./request-head.ts";
import { WireRequest } from "./wire-request.ts";

const END_OF_HEAD = Buffer.from("\r\n\r\n");
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/**
 * A server's side of HTTP/1.1 for programs beside it on this machine: one request after the other over a connection
 * that is kept, no timers, one write for each answer. A server for anybody costs several times as much CPU. Whoever
 * sends another request before the answer to the one before, or one that could be read in two ways, is hung up on.
 */
export class WireConnection {
  readonly #socket: Socket;
  readonly #serve: (request: WireRequest) => void;
  #request: WireRequest | undefined;
  /** The beginning of a head. */
  #begun: Buffer | undefined;
  #bytesLeft = 0;
  #chunked: ChunkedBody | undefined;
  #isRefused = false;

  constructor(socket: Socket, serve: (request: WireRequest) => void) {
    this.#socket = socket;
    this.#serve = serve;
    socket.on("data", (read: Buffer) => this.#onData(read));
    // It is closed then.
    socket.on("error", () => {});
    socket.on("close", () => this.#request?.broken());
  }

  #onData(read: Buffer): void {
    if (this.#isRefused) return;
    if (this.#request?.isOver === true) {
      // It has its answer, and was told that this was the last.
      if (!this.#request.head.isKept) return;
      this.#request = undefined;
    }
    if (this.#request !== undefined) this.#readBody(this.#request, read);
    else this.#readHead(this.#begun === undefined ? read : Buffer.concat([this.#begun, read]));
  }

  #readHead(read: Buffer): void {
    const end = read.indexOf(END_OF_HEAD);
    if (end < 0 || end > HEAD_BYTES_MAX) {
      this.#begun = read;
      if (read.length > HEAD_BYTES_MAX) this.#refuse(431);
      return;
    }
    this.#begun = undefined;
    const head = readRequestHead(read.toString("latin1", 0, end));
    if ("faultStatus" in head) {
      this.#refuse(head.faultStatus);
      return;
    }
    const rest = read.subarray(end + END_OF_HEAD.length);
    this.#chunked = head.body === "chunked" ? new ChunkedBody() : undefined;
    this.#bytesLeft = head.body === "chunked" ? 0 : head.body;
    if (this.#chunked === undefined && rest.length > this.#bytesLeft) {
      this.#refuse(400);
      return;
    }
    this.#request = new WireRequest(head, this.#socket);
    if (head.waits && rest.length === 0) this.#socket.write(CONTINUE);
    this.#serve(this.#request);
    this.#readBody(this.#request, rest);
  }

  #readBody(request: WireRequest, read: Buffer): void {
    if (this.#chunked !== undefined) {
      this.#readChunks(request, this.#chunked, read);
      return;
    }
    const bytes = Math.min(read.length, this.#bytesLeft);
    if (bytes < read.length && !request.isAnswered) {
      this.#refuse(400);
      return;
    }
    this.#bytesLeft -= bytes;
    this.#hand(request, read.subarray(0, bytes), this.#bytesLeft === 0);
    this.#readOn(request, read.subarray(bytes));
  }

  /** Who has its answer before all of its body was read, since that is too long, may have sent its next request. */
  #readOn(request: WireRequest, rest: Buffer): void {
    if (rest.length === 0) return;
    if (request.isOver) this.#onData(rest);
    else this.#refuse(400);
  }

  #readChunks(request: WireRequest, chunked: ChunkedBody, read: Buffer): void {
    const pieces: Buffer[] = [];
    const bytes = chunked.take(read, pieces);
    if (chunked.isMalformed || (bytes < read.length && !request.isAnswered)) {
      this.#refuse(400);
      return;
    }
    request.trailers = chunked.trailers;
    const [only = read.subarray(0, 0)] = pieces;
    this.#hand(request, pieces.length > 1 ? Buffer.concat(pieces) : only, chunked.hasEnded);
    this.#readOn(request, read.subarray(bytes));
  }

  #hand(request: WireRequest, piece: Buffer, isLast: boolean): void {
    const taken = piece.length === 0 ? undefined : request.take(piece);
    if (taken === undefined) {
      if (isLast) request.end();
      return;
    }
    this.#socket.pause();
    const goOn = () => {
      if (isLast) request.end();
      this.#socket.resume();
    };
    void taken.then(goOn, goOn);
  }

  #refuse(status: number): void {
    this.#isRefused = true;
    const isUnanswered = this.#request === undefined || this.#request.isOver;
    if (isUnanswered) this.#socket.write(refusal(status));
    else this.#request?.broken();
    this.#socket.destroySoon();
  }
}

function refusal(status: number): string {
  return `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}
