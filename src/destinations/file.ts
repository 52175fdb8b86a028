import type { Envelope } from "../model/envelope.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Delivered, Destination } from "../ports/destination.ts";
import { appendLines, type PlacedLine, readLastLines } from "./json-lines.ts";

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
  readonly resolve: (delivered: Delivered | undefined) => void;
  readonly reject: (error: unknown) => void;
}

class FileDestination implements Destination {
  readonly #path: string;
  #waiting: Delivery[] = [];
  #writing: Promise<void> | undefined;
  /** With the places of their lines. */
  #knownIds: Map<string, number | undefined> | undefined;
  #isClosed = false;

  constructor(path: string) {
    this.#path = path;
  }

  async deliver(envelope: Envelope, signal: AbortSignal): Promise<Delivered | undefined> {
    if (signal.aborted) throw aborted();
    if (this.#isClosed) throw unavailable(this.#path, new Error("it is closed"));
    const { promise, resolve, reject } = Promise.withResolvers<Delivered | undefined>();
    const onAbort = () => reject(aborted());
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push({ id: envelope.id, line: toLine(envelope), resolve, reject });
    this.#writing ??= this.#writeAll();
    try {
      return await promise;
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
        const places = await this.#write(group);
        for (const { id, resolve } of group) resolve(deliveredAt(places.get(id)));
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

  /** Where each of the group stands now, by its id. */
  async #write(group: readonly Delivery[]): Promise<ReadonlyMap<string, number | undefined>> {
    this.#knownIds ??= await readIds(this.#path);
    const known = this.#knownIds;
    const fresh = new Map(group.filter(({ id }) => !known.has(id)).map(({ id, line }) => [id, line]));
    if (fresh.size > 0) {
      let at = await appendLines(this.#path, Buffer.concat([...fresh.values()]));
      for (const [id, line] of fresh) {
        known.set(id, at);
        at = at === undefined ? undefined : at + line.length;
      }
    }
    const places = new Map(group.map(({ id }) => [id, known.get(id)]));
    for (const id of known.keys()) {
      if (known.size <= KNOWN_IDS_MAX) break;
      known.delete(id);
    }
    return places;
  }
}

function deliveredAt(place: number | undefined): Delivered | undefined {
  return place === undefined ? undefined : { at: String(place) };
}

function toLine({ id, text }: Envelope): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},${text("whole").slice(1)}\n`);
}

async function readIds(path: string): Promise<Map<string, number | undefined>> {
  const known = new Map<string, number | undefined>();
  for (const line of await readLastLines(path, KNOWN_TAIL_BYTES)) {
    const id = readId(line);
    if (id !== undefined) known.set(id, line.at);
  }
  return known;
}

/** The id of a whole line only: that of a torn one was not accepted, and to take it for known would lose the record. */
function readId({ text }: PlacedLine): string | undefined {
  try {
    const document: unknown = JSON.parse(text);
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
