import type { IncomingMessage } from "node:http";

interface BodyReader {
  onRead(body: Uint8Array): void;
  /** It has more bytes than it may. What is left of it is read, and not kept. */
  onTooLarge(): void;
  /** It broke off. */
  onBroken(): void;
}

/** Whoever sends so much more than it may is hung up on. */
const UNREAD_FACTOR = 10;

/** Reads a body of so many bytes at most. Calls one of the reader's methods, once. */
export function readBody(request: IncomingMessage, bytesMax: number, reader: BodyReader): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let isDone = false;
  const end = (tell: () => void): void => {
    if (isDone) return;
    isDone = true;
    tell();
    chunks = [];
  };
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax * UNREAD_FACTOR) request.destroy();
    else if (bytes > bytesMax) end(() => reader.onTooLarge());
    else chunks.push(chunk);
  });
  request.once("end", () =>
    end(() => reader.onRead(chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks))),
  );
  request.once("close", () => end(() => reader.onBroken()));
  request.on("error", () => end(() => reader.onBroken()));
}

const EMPTY = Buffer.alloc(0);
