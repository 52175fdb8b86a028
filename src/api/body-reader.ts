import type { Readable } from "node:stream";
import type { HeldBody } from "./body-bytes.ts";
import { ApiFault } from "./wire-fault.ts";

/**
 * A first piece of memory; it doubles as a body grows, so that a body in pieces of one byte costs what one in a whole
 * costs.
 */
const FIRST_BYTES = 4 * 1024;

/** Says that a body is too large, by its bytes, which may be more, and the most that it may have. */
export type TooLargeText = (bytes: number, bytesMax: number) => string;

export interface TooLargeBody {
  readonly textOf?: TooLargeText | undefined;
  /** 0: it is refused where it becomes too large, whether its sender hears that or not. */
  readonly droppedBytesMax?: number | undefined;
}

/** So much of a body that is too large is read and dropped: a client that still sends hears why it was refused. */
const DROPPED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Reads a body whole, within its bound and within what all requests may hold together.
 * @throws ApiFault RequestTooLargeException, TooManyRequestsException; an error with `statusCode` 400 for a body that
 * ends early
 */
export async function readBody(
  stream: Readable,
  statedBytes: number | undefined,
  bytesMax: number,
  held: HeldBody,
  { textOf = tooLargeText, droppedBytesMax = DROPPED_BYTES_MAX }: TooLargeBody = {},
): Promise<Buffer> {
  const tooLarge = (bytes: number) => new ApiFault("RequestTooLargeException", textOf(bytes, bytesMax));
  const readMax = Math.max(bytesMax, droppedBytesMax);
  if (statedBytes !== undefined && statedBytes > readMax) throw tooLarge(statedBytes);
  let memory = Buffer.allocUnsafe(0);
  let length = 0;
  for await (const chunk of chunksOf(stream)) {
    const needed = length + chunk.length;
    if (needed > bytesMax || (statedBytes ?? 0) > bytesMax) {
      if (needed > readMax) throw tooLarge(needed);
      memory = Buffer.allocUnsafe(0);
      length = needed;
      continue;
    }
    if (needed > (statedBytes ?? bytesMax)) throw incomplete();
    if (needed > memory.length) {
      const size = Math.min(statedBytes ?? bytesMax, Math.max(needed, memory.length * 2, FIRST_BYTES));
      if (!held.take(size - memory.length)) throw tooMany();
      const larger = Buffer.allocUnsafe(size);
      memory.copy(larger, 0, 0, length);
      memory = larger;
    }
    chunk.copy(memory, length);
    length = needed;
  }
  const bytes = Math.max(length, statedBytes ?? 0);
  if (bytes > bytesMax) throw tooLarge(bytes);
  if (length < bytes) throw incomplete();
  return memory.subarray(0, length);
}

async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) if (Buffer.isBuffer(chunk)) yield chunk;
  } catch (error) {
    throw error instanceof ApiFault ? error : incomplete();
  }
}

function tooLargeText(bytes: number, bytesMax: number): string {
  return `The request body is too large: it has ${bytes} bytes or more, and ${bytesMax} are the most.`;
}

function tooMany(): ApiFault {
  const message = "Too many bodies are on their way at once. Try again.";
  return new ApiFault("TooManyRequestsException", message, { Reason: "CallerRateLimitExceeded" });
}

function incomplete(): Error {
  return Object.assign(new Error("The request body ended before its stated length."), { statusCode: 400 });
}
