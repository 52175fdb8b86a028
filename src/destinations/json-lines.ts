import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Failure records hold customers' data: the file is for its owner only. */
const FILE_MODE = 0o600;
const LINE_FEED = 0x0a;
/** Enough to tell a line from others: an id stands at its beginning. */
const HEAD_BYTES = 512;
/** How far other processes may have moved our lines. */
const MOVED_BYTES_MAX = 16 * 1024 * 1024;
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;

/**
 * Appends whole lines and returns when they are on the disk. The file is opened anew each time, so that it may be
 * rotated, moved away or removed while it is in use. Several processes may append to one file: the lines go out in one
 * write at its end.
 *
 * A crash or a full disk may leave a line without its end. It is ended here, never cut off: what looks like a torn line
 * may be another process's line on its way. Its record was not accepted and comes again, so readers of the file skip a
 * line that is not JSON.
 *
 * Resolves to where the lines begin; `undefined`: that cannot be told.
 */
export function appendLines(path: string, lines: Buffer): Promise<number | undefined> {
  const key = resolve(path);
  const turn = (turns.get(key) ?? Promise.resolve()).then(() => append(key, lines));
  const next = turn.catch(() => {}).finally(() => turns.get(key) === next && turns.delete(key));
  turns.set(key, next);
  return turn;
}

/**
 * Ends of the appends that run or wait, by path. Destinations of one file take turns: one that looks at the end of the
 * file while another writes would take a line on its way for a torn one, and leave an empty line.
 */
const turns = new Map<string, Promise<unknown>>();

async function append(path: string, lines: Buffer): Promise<number | undefined> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, FLAGS, FILE_MODE);
  try {
    const stats = await file.stat();
    const isTorn = stats.size > 0 && (await readAt(file, stats.size - 1, 1))[0] !== LINE_FEED;
    await writeAtOnce(file, isTorn ? Buffer.concat([Buffer.of(LINE_FEED), lines]) : lines);
    // Terminals and pipes have nothing to sync: what they took, they took.
    if (stats.isFile()) await file.datasync();
    if (stats.isFile() && stats.size === 0) await syncFolder(dirname(path));
    return stats.isFile() ? await placeOf(file, lines, stats.size + (isTorn ? 1 : 0)) : undefined;
  } finally {
    await file.close();
  }
}

/** Another process may have written between our look at the end and our write. */
async function placeOf(file: FileHandle, lines: Buffer, expected: number): Promise<number | undefined> {
  const head = lines.subarray(0, HEAD_BYTES);
  if ((await readAt(file, expected, head.length)).equals(head)) return expected;
  const at = (await readAt(file, expected, MOVED_BYTES_MAX)).indexOf(head);
  return at < 0 ? undefined : expected + at;
}

/** A line, with the place of its first byte. */
export interface PlacedLine {
  readonly text: string;
  readonly at: number;
}

/**
 * The lines that begin in the last `bytesMax` bytes, without a last one that has no end; none when there is no file.
 * They are on the disk when this returns, also what a process left there that died before it could see to it.
 */
export async function readLastLines(path: string, bytesMax: number): Promise<readonly PlacedLine[]> {
  const file = await openIfThere(path);
  if (file === undefined) return [];
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return [];
    await file.datasync();
    const { size } = stats;
    const from = Math.max(0, size - bytesMax);
    const lines = linesOf(await readAt(file, from, size - from), from);
    // In the middle of the file the first line is likely to be the end of one.
    return from === 0 ? lines : lines.slice(1);
  } finally {
    await file.close();
  }
}

/** Whole lines, without their ends, of bytes that begin at `from`. */
export function linesOf(bytes: Buffer, from: number): PlacedLine[] {
  const lines: PlacedLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
    lines.push({ text: bytes.toString("utf8", start, end), at: from + start });
    start = end + 1;
  }
  return lines;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** One system call: a second one for the rest could find another process's line in between. */
async function writeAtOnce(file: FileHandle, bytes: Buffer): Promise<void> {
  const { bytesWritten } = await file.write(bytes);
  // plant: a-failure-record-counts-as-delivered-when-half-of-its-line-is-written
  if (bytesWritten < bytes.length) {
    throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written; the disk may be full`);
  }
}

/** The name of a new file is on the disk only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
