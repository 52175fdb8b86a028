import type { IncomingMessage } from "node:http";
import type { AnswerStream } from "./listener.ts";

export interface StreamReader {
  /** All of it has gone to where it goes. */
  onRead(): void;
  /** It is longer than it may be. What is left of it is read, and not kept. */
  onFull(): void;
  /** It broke off. */
  onBroken(): void;
}

/** What is read and not kept of a response that is too long; then its process is hung up on. */
const UNREAD_BYTES_MAX = 1024 * 1024 * 1024;

/** Hands a body on as it comes, no faster than it is taken. Calls one of the reader's methods, once. */
export function streamBody(request: IncomingMessage, stream: AnswerStream, reader: StreamReader): void {
  let isDone = false;
  let unread = 0;
  const end = (tell: () => void): void => {
    if (isDone) return;
    isDone = true;
    tell();
  };
  request.on("data", (chunk: Buffer) => {
    if (isDone) {
      unread += chunk.length;
      if (unread > UNREAD_BYTES_MAX) request.destroy();
      return;
    }
    const taken = stream.write(chunk);
    if (stream.isFull) end(() => reader.onFull());
    else if (taken !== undefined) {
      request.pause();
      void taken.then(() => request.resume());
    }
  });
  request.once("end", () => end(() => reader.onRead()));
  request.once("close", () => end(() => reader.onBroken()));
  request.on("error", () => end(() => reader.onBroken()));
}
