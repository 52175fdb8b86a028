import type { AnswerStream } from "./listener.ts";
import type { WireRequest } from "./wire-request.ts";

export interface BodyReader {
  onRead(body: Uint8Array): void;
  /** It has more bytes than it may. What is left of it is read, and not kept. */
  onTooLarge(): void;
  /** It broke off. */
  onBroken(): void;
}

export interface StreamReader {
  /** All of it has gone to where it goes. */
  onRead(): void;
  /** It is longer than it may be. What is left of it is read, and not kept. */
  onFull(): void;
  /** It broke off. */
  onBroken(): void;
}

/** Whoever sends so much more than it may is hung up on. */
const UNREAD_FACTOR = 10;
/** What is read and not kept of a response that is too long; then its process is hung up on. */
const UNREAD_BYTES_MAX = 1024 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** Reads a body of so many bytes at most. Calls one of the reader's methods, once. */
export function readBody(request: WireRequest, bytesMax: number, reader: BodyReader): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let isDone = false;
  const end = (tell: () => void): void => {
    if (isDone) return;
    isDone = true;
    tell();
    chunks = [];
  };
  request.receive({
    take(piece) {
      bytes += piece.length;
      if (bytes > bytesMax * UNREAD_FACTOR) request.hangUp();
      else if (bytes > bytesMax) end(() => reader.onTooLarge());
      else chunks.push(piece);
      return undefined;
    },
    end: () => end(() => reader.onRead(chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks))),
    broken: () => end(() => reader.onBroken()),
  });
}

/** Hands a body on as it comes, no faster than it is taken. Calls one of the reader's methods, once. */
export function streamBody(request: WireRequest, stream: AnswerStream, reader: StreamReader): void {
  let isDone = false;
  let unread = 0;
  const end = (tell: () => void): void => {
    if (isDone) return;
    isDone = true;
    tell();
  };
  request.receive({
    take(piece) {
      if (isDone) {
        unread += piece.length;
        if (unread > UNREAD_BYTES_MAX) request.hangUp();
        return undefined;
      }
      const taken = stream.write(piece);
      if (!stream.isFull) return taken;
      end(() => reader.onFull());
      return undefined;
    },
    end: () => end(() => reader.onRead()),
    broken: () => end(() => reader.onBroken()),
  });
}
