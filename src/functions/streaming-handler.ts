import { Writable } from "node:stream";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import { HTTP_RESPONSE_TYPE } from "../ports/response-sink.ts";

/** As Lambda's Node runtime marks the handlers that `awslambda.streamifyResponse` was given. */
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
/** Between an HTTP response's head and its body. */
const SEPARATOR = new Uint8Array(8);

/** A handler that writes its response instead of returning it. */
export type StreamingHandler = (event: unknown, stream: StreamedResponse, context: object) => unknown;

/** Where a response goes while it is written. */
export interface ResponseOutlet {
  /** Once, before the first bytes, or before an end without any. */
  open(contentType: string): void;
  /** `done`: there is room for more. */
  write(chunk: Uint8Array, done: () => void): void;
}

/** What a streaming handler writes into. Without an outlet its response is collected (invocation §3.3). */
export class StreamedResponse extends Writable {
  readonly #outlet: ResponseOutlet | undefined;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #head: readonly Uint8Array[] = [];
  #contentType = "application/octet-stream";
  #isOpen = false;

  constructor(outlet?: ResponseOutlet) {
    super();
    this.#outlet = outlet;
  }

  /** It is too large to be a function's response. */
  get isTooLarge(): boolean {
    return this.#bytes > RESPONSE_BYTES_MAX;
  }

  /** All that was written. */
  get body(): Uint8Array {
    // Memory of its own: it is handed on, and a small buffer stands in one that is shared.
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  /** Counts until the first byte. */
  setContentType(type: string): void {
    this.#contentType = type;
  }

  /** Stands before the first bytes. */
  beginWith(head: readonly Uint8Array[]): void {
    this.#head = head;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const piece = this.#withHead(chunk);
    if (this.#outlet !== undefined) {
      this.#pour(piece, this.#outlet, done);
      return;
    }
    this.#take(piece);
    done(this.isTooLarge ? new Error("The response is too large.") : null);
  }

  override _final(done: (error?: Error | null) => void): void {
    const piece = this.#withHead(NO_BYTES);
    if (this.#outlet === undefined) {
      this.#take(piece);
      done(null);
    } else if (piece.length > 0) this.#pour(piece, this.#outlet, done);
    else {
      // A stream in which nothing stands is one all the same.
      this.#openOnce(this.#outlet);
      done(null);
    }
  }

  #pour(piece: Uint8Array, outlet: ResponseOutlet, done: () => void): void {
    this.#openOnce(outlet);
    outlet.write(piece, done);
  }

  #openOnce(outlet: ResponseOutlet): void {
    if (!this.#isOpen) outlet.open(this.#contentType);
    this.#isOpen = true;
  }

  #withHead(chunk: Uint8Array): Uint8Array {
    if (this.#head.length === 0) return chunk;
    const whole = Buffer.concat([...this.#head, chunk]);
    this.#head = [];
    return whole;
  }

  #take(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (!this.isTooLarge) this.#chunks.push(chunk);
  }
}

const NO_BYTES = new Uint8Array(0);

export function isStreaming(handler: unknown): boolean {
  return typeof handler === "function" && Reflect.get(handler, STREAMING) === "response";
}

/** Gives modules the global `awslambda` of Lambda's Node runtime, before they are loaded. */
export function installStreaming(): void {
  const value = {
    streamifyResponse<Given extends object>(handler: Given): Given {
      Object.assign(handler, { [STREAMING]: "response" });
      return handler;
    },
    HttpResponseStream: {
      from(stream: StreamedResponse, head: object): StreamedResponse {
        stream.setContentType(HTTP_RESPONSE_TYPE);
        stream.beginWith([Buffer.from(JSON.stringify(head)), SEPARATOR]);
        return stream;
      },
    },
  };
  Object.defineProperty(globalThis, "awslambda", { value, configurable: true, writable: true });
}
