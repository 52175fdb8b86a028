import { createGunzip, createZstdDecompress, gunzipSync, zstdDecompressSync } from "node:zlib";
import { turn } from "../lib/steps.ts";
import { undoLz4 } from "./lz4.ts";
import { undoSnappy } from "./snappy.ts";

export type CodecName = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** What a decoder makes in one step. */
const CHUNK_BYTES = 128 * 1024;
/** What is undone in one call; a batch of producers' usual size is smaller. */
const AT_ONCE_BYTES_MAX = 256 * 1024;
const PART_BYTES_MAX = 256 * 1024;

/** Undone bytes, one part behind the other. `return` ends them early and frees what the decoder holds. */
export type Chunks = Iterator<Buffer> | AsyncIterator<Buffer>;

/**
 * Undoes a compression, in steps of at most `STEP_BYTES_MAX`: each part is made when it is asked for, so that what
 * it claims to hold costs nothing. `next` throws a RangeError or a zlib error for what is corrupt.
 */
export async function undoCompression(codec: CodecName, bytes: Buffer): Promise<Chunks> {
  switch (codec) {
    case "none":
      return [bytes].values();
    case "gzip":
      return await undoBy(gunzipSync, createGunzip, bytes);
    case "snappy":
      return inTurns(undoSnappy(bytes));
    case "lz4":
      return inTurns(undoLz4(bytes));
    case "zstd":
      return await undoBy(zstdDecompressSync, createZstdDecompress, bytes);
  }
}

/** Decoders of ours run on this thread: a part, and then whoever waits. */
async function* inTurns(parts: Generator<Buffer>): AsyncGenerator<Buffer> {
  for (;;) {
    await turn.roomFor(PART_BYTES_MAX, 1);
    const { done, value } = parts.next();
    if (done === true) return;
    turn.count(value.length, 1);
    yield value;
  }
}

/** At once what is small, as nearly all is: a stream costs more than its decoding. On other threads what is not. */
async function undoBy(
  atOnce: (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer,
  createStream: (options: { readonly chunkSize: number }) => NodeJS.ReadWriteStream,
  bytes: Buffer,
): Promise<Chunks> {
  if (bytes.length <= AT_ONCE_BYTES_MAX) {
    await turn.roomFor(AT_ONCE_BYTES_MAX, 1);
    try {
      const undone = atOnce(bytes, { maxOutputLength: AT_ONCE_BYTES_MAX });
      turn.count(undone.length, 1);
      return [undone].values();
    } catch (error) {
      if (!isTooLarge(error)) throw error;
    }
  }
  return undoInStream(createStream({ chunkSize: CHUNK_BYTES }), bytes);
}

async function* undoInStream(stream: NodeJS.ReadWriteStream, bytes: Buffer): AsyncGenerator<Buffer> {
  stream.end(bytes);
  for await (const chunk of stream) yield chunk as unknown as Buffer;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}
