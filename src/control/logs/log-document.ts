import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { LogStream } from "../../ports/function-log.ts";
import { SNAPSHOT_BYTES_MAX } from "../../ports/snapshot-store.ts";
import type { KeptLine } from "./log-ring.ts";

/** What is compressed in one step; and what may come out of what another has written. */
const CHARS_MAX = 256 * 1024;
const READ_BYTES_MAX = 4 * 1024 * 1024;
/** It is written beside the word of its process. */
const SUFFIX = "/log";

export interface LogDocument {
  readonly form: "log-1";
  /** The newest line that is left out; 0: none is. */
  readonly leftOutSeq: number;
  readonly lines: readonly KeptLine[];
}

export function logIdOf(processId: string): string {
  return processId + SUFFIX;
}

/** The process whose lines they are; `undefined`: it is no log. */
export function processOfLog(id: string): string | undefined {
  return id.endsWith(SUFFIX) ? id.slice(0, -SUFFIX.length) : undefined;
}

/** As many of the newest lines as a snapshot holds; `newest` gives those within so many characters. */
export function writeLog(newest: (charsMax: number) => readonly KeptLine[]): Uint8Array {
  for (let chars = CHARS_MAX; chars > 0; chars = Math.floor(chars / 2)) {
    const lines = newest(chars);
    const log: LogDocument = { form: "log-1", leftOutSeq: (lines[0]?.seq ?? 1) - 1, lines };
    const document = zstdCompressSync(JSON.stringify(log));
    if (document.byteLength <= SNAPSHOT_BYTES_MAX) return document;
  }
  return zstdCompressSync(JSON.stringify({ form: "log-1", leftOutSeq: 0, lines: [] }));
}

/** `undefined`: another version wrote it. */
export function readLog(document: Uint8Array): LogDocument | undefined {
  try {
    const text = zstdDecompressSync(document, { maxOutputLength: READ_BYTES_MAX }).toString();
    const value: unknown = JSON.parse(text);
    return isLog(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const STREAMS: readonly LogStream[] = ["stdout", "stderr", "platform"];

function isLog(value: unknown): value is LogDocument {
  if (typeof value !== "object" || value === null) return false;
  if (!("form" in value && value.form === "log-1" && "lines" in value && Array.isArray(value.lines)))
    return false;
  const lines: readonly unknown[] = value.lines;
  return "leftOutSeq" in value && typeof value.leftOutSeq === "number" && lines.every(isLine);
}

function isLine(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { fn, version, stream, text, seq, atMs } = value as Partial<Record<keyof KeptLine, unknown>>;
  const areTexts = [fn, version, text].every((each) => typeof each === "string");
  return areTexts && STREAMS.includes(stream as LogStream) && [seq, atMs].every(Number.isFinite);
}
