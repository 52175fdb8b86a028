import { type FileHandle, open } from "node:fs/promises";
import { summaryOf } from "../model/failure-summary.ts";
import type { FailureReader, ScanBounds } from "../ports/failure-reader.ts";
import { linesOf, type PlacedLine } from "./json-lines.ts";
import { DOCUMENT_BYTES_MAX, keptFailure, unreadable } from "./kept-failure.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Reads the lines of a file of failure records; a place is the offset of a line's first byte. */
export function createFileFailureReader(path: string): FailureReader {
  return {
    async read(at, signal) {
      const offset = Number(at);
      if (!Number.isSafeInteger(offset) || offset < 0) return undefined;
      for await (const { text } of lines(path, offset, signal)) return keptFailure(text, undefined);
      return undefined;
    },
    async *scan({ mapping, sinceMs, untilMs }: ScanBounds, signal) {
      for await (const { text, at } of lines(path, 0, signal)) {
        const kept = keptFailure(text, undefined);
        const summary = kept && summaryOf(kept.document);
        if (kept === undefined || summary === undefined) continue;
        // Mappings may share a file: the id begins with the mapping's.
        if (kept.failureId?.startsWith(`${mapping}/`) !== true) continue;
        if (summary.atMs < sinceMs || summary.atMs >= untilMs) continue;
        yield { ...kept, at: String(at), summary };
      }
    },
    close: async () => undefined,
  };
}

/** Whole lines from an offset on. */
async function* lines(path: string, from: number, signal: AbortSignal): AsyncGenerator<PlacedLine> {
  const file = await openIfThere(path);
  if (file === undefined) return;
  try {
    let [at, rest] = [from, Buffer.alloc(0)];
    for (;;) {
      signal.throwIfAborted();
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at + rest.length);
      if (bytesRead === 0) return;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const whole = linesOf(bytes, at);
      yield* whole;
      const last = whole.at(-1);
      const done = last === undefined ? 0 : bytes.lastIndexOf("\n") + 1;
      at += done;
      rest = bytes.subarray(done);
      if (rest.length > DOCUMENT_BYTES_MAX)
        throw new Error(`a line is longer than ${DOCUMENT_BYTES_MAX} bytes`);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw unreadable(`file:${path}`, error);
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw unreadable(`file:${path}`, error);
  }
}
