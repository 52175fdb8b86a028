import { Writable } from "node:stream";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";

/** As Lambda's Node runtime marks the handlers that `awslambda.streamifyResponse` was given. */
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HTTP_RESPONSE = "application/vnd.awslambda.http-integration-response";
/** Between an HTTP response's head and its body. */
const SEPARATOR = new Uint8Array(8);

/** A handler that writes its response instead of returning it. */
export type StreamingHandler = (event: unknown, stream: StreamedResponse, context: object) => unknown;

/** What a streaming handler writes into. Its response is collected: whoever called gets it whole (invocation §3.3). */
export class StreamedResponse extends Writable {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #head: readonly Uint8Array[] = [];

  /** It is too large to be a function's response. */
  get isTooLarge(): boolean {
    return this.#bytes > RESPONSE_BYTES_MAX;
  }

  /** All that was written. */
  get body(): Uint8Array {
    // Memory of its own: it is handed on, and a small buffer stands in one that is shared.
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  setContentType(_type: string): void {
    // Nobody on the way of a collected response looks at it.
  }

  /** Stands before the first bytes. */
  beginWith(head: readonly Uint8Array[]): void {
    this.#head = head;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#takeHead();
    this.#take(chunk);
    done(this.isTooLarge ? new Error("The response is too large.") : null);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#takeHead();
    done(null);
  }

  #takeHead(): void {
    for (const piece of this.#head) this.#take(piece);
    this.#head = [];
  }

  #take(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (!this.isTooLarge) this.#chunks.push(chunk);
  }
}

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
        stream.setContentType(HTTP_RESPONSE);
        stream.beginWith([Buffer.from(JSON.stringify(head)), SEPARATOR]);
        return stream;
      },
    },
  };
  Object.defineProperty(globalThis, "awslambda", { value, configurable: true, writable: true });
}
