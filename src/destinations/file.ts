import type { Envelope } from "../model/envelope.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Destination } from "../ports/destination.ts";
import { appendLines, readLastLines } from "./json-lines.ts";

/** Lines of one write and one sync to the disk. */
const GROUP_BYTES_MAX = 16 * 1024 * 1024;
/** How far back a new life looks for records that its former life delivered and did not come to settle. */
const KNOWN_TAIL_BYTES = 16 * 1024 * 1024;
const KNOWN_IDS_MAX = 10_000;

/**
 * Appends failure records to a file, one JSON document per line: AWS's document for S3, with the event as the text
 * `payload` (streams §5.7), behind the member `id`. The file and its folder are made when they do not exist.
 *
 * At least once: a record is on the disk before its delivery resolves. Records that run at once share one sync. An `id`
 * that stands in the last 16 MiB of the file, or was delivered by this process, is not written again.
 */
export function createFileDestination(path: string): Destination {
  return new FileDestination(path);
}

interface Delivery {
  readonly id: string;
  readonly line: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class FileDestination implements Destination {
  readonly #path: string;
  #waiting: Delivery[] = [];
  #writing: Promise<void> | undefined;
  #knownIds: Set<string> | undefined;
  #isClosed = false;

  constructor(path: string) {
    this.#path = path;
  }

  async deliver(envelope: Envelope, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw aborted();
    if (this.#isClosed) throw unavailable(this.#path, new Error("it is closed"));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => reject(aborted());
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push({ id: envelope.id, line: toLine(envelope), resolve, reject });
    this.#writing ??= this.#writeAll();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
  }

  /** Ends when nothing waits any more. Never rejects: each delivery gets its own answer. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#write(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(unavailable(this.#path, error));
      }
    }
    this.#writing = undefined;
  }

  #takeGroup(): readonly Delivery[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ line }, index) => {
      bytes += line.length;
      return index > 0 && bytes > GROUP_BYTES_MAX;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  async #write(group: readonly Delivery[]): Promise<void> {
    this.#knownIds ??= await readIds(this.#path);
    const known = this.#knownIds;
    const fresh = new Map(group.filter(({ id }) => !known.has(id)).map(({ id, line }) => [id, line]));
    if (fresh.size === 0) return;
    await appendLines(this.#path, Buffer.concat([...fresh.values()]));
    for (const id of fresh.keys()) known.add(id);
    for (const id of known) {
      if (known.size <= KNOWN_IDS_MAX) break;
      known.delete(id);
    }
  }
}

function toLine({ id, text }: Envelope): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},${text("whole").slice(1)}\n`);
}

async function readIds(path: string): Promise<Set<string>> {
  const lines = await readLastLines(path, KNOWN_TAIL_BYTES);
  return new Set(lines.map(readId).filter((id) => id !== undefined));
}

/** The id of a whole line only: that of a torn one was not accepted, and to take it for known would lose the record. */
function readId(line: string): string | undefined {
  try {
    const document: unknown = JSON.parse(line);
    const isOurs = typeof document === "object" && document !== null && "id" in document;
    return isOurs && typeof document.id === "string" ? document.id : undefined;
  } catch {
    return undefined;
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "Free space on the disk",
  EDQUOT: "Free space or raise the quota",
  EACCES: "Give this process the right to write the file and its folder",
  EPERM: "Give this process the right to write the file and its folder",
  EROFS: "Name a file on a file system that can be written",
  EISDIR: "Name a file, not a folder",
  ENOTDIR: "Name a path whose parents are folders",
  EMFILE: "Raise the limit of open files",
};

function unavailable(path: string, error: unknown): MillraceError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const remedy = REMEDIES[code] ?? "Check the file and its disk";
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    `A failure record could not be written to ${path}: ${describeError(error)}. ${remedy}; delivery is tried again.`,
    { cause: error },
  );
}

function aborted(): MillraceError {
  return new MillraceError("ERR_MILLRACE_ABORTED", "The caller stopped the delivery of a failure record.");
}
