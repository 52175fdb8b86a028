import type { ServerResponse } from "node:http";
import { HTTP_RESPONSE_TYPE, type ResponseHead, type ResponseSink } from "../ports/response-sink.ts";
import { parsedAnswer } from "./answer-members.ts";
import type { Codec, FrontAnswer } from "./exchange.ts";
import type { PaceWatch } from "./pace-watch.ts";
import { SEPARATOR } from "./prelude.ts";
import { hasNoBody, roomOf } from "./send-answer.ts";

const PRELUDE_BYTES_MAX = 64 * 1024;

export interface StreamParts {
  readonly response: ServerResponse;
  readonly codec: Codec;
  readonly pace: PaceWatch;
  readonly stallMs: number;
  /** Writes the head; what it adds is no matter of the stream. */
  head(answer: FrontAnswer): void;
}

/** A response that goes out as the function writes it (invocation §3.3). */
export class StreamedAnswer implements ResponseSink {
  readonly #parts: StreamParts;
  /** Bytes of a prelude that is not there whole. */
  #prelude: Buffer[] | undefined;
  #preludeBytes = 0;
  #isBare = false;
  /** `malformed`: no head can be made of what the function wrote first. */
  state: "unopened" | "opened" | "headed" | "malformed" = "unopened";

  /** It was opened, and nothing was written. */
  get isEmpty(): boolean {
    return this.state === "opened" && this.#preludeBytes === 0;
  }

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  open({ contentType }: ResponseHead): void {
    this.state = "opened";
    if (contentType === HTTP_RESPONSE_TYPE) this.#prelude = [];
    else
      this.#head({
        status: 200,
        headers: [["content-type", contentType ?? "application/octet-stream"]],
        body: "",
      });
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    const { response } = this.#parts;
    // Whoever has gone does not stop the function: it writes to nobody.
    if (response.destroyed || this.state === "malformed") return undefined;
    if (this.#prelude === undefined) return this.#body(chunk);
    this.#prelude.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#preludeBytes += chunk.length;
    const whole = Buffer.concat(this.#prelude, this.#preludeBytes);
    const end = whole.indexOf(SEPARATOR);
    if (end < 0) {
      this.#prelude = [whole];
      if (whole.length > PRELUDE_BYTES_MAX) this.state = "malformed";
      return undefined;
    }
    this.#prelude = undefined;
    const prelude = parsedAnswer(whole.subarray(0, end));
    const head = prelude && this.#parts.codec.head?.(prelude.value);
    if (head === undefined) this.state = "malformed";
    else this.#head(head);
    return head === undefined ? undefined : this.#body(whole.subarray(end + SEPARATOR.length));
  }

  #head(answer: FrontAnswer): void {
    const { response } = this.#parts;
    this.state = "headed";
    this.#isBare = hasNoBody(response.req.method, answer.status);
    if (response.destroyed) return;
    this.#parts.head(answer);
    // Whoever waits for the first byte sees that something comes.
    if (!this.#isBare) response.flushHeaders();
  }

  #body(chunk: Uint8Array): Promise<void> | undefined {
    const { response, pace, stallMs } = this.#parts;
    if (chunk.length === 0 || this.#isBare || response.write(chunk)) return undefined;
    return roomOf(response, pace, stallMs);
  }
}
