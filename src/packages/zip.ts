import { crc32 } from "node:zlib";
import { type Entry, fromBufferPromise, getFileNameLowLevel, type ZipFile } from "yauzl";
import { describeError, MillraceError } from "../model/errors.ts";
import { type EntryKind, EntryTree } from "./entry-tree.ts";
import { packageFault } from "./package-fault.ts";
import {
  ARCHIVE_BYTES_MAX,
  FILES_MAX,
  LINK_BYTES_MAX,
  RATIO_MAX,
  UNPACKED_BYTES_MAX,
} from "./package-limits.ts";

/** What an archive would become, all of it checked before a byte is written. Paths are below its root. */
export interface ZipPlan {
  readonly folders: readonly string[];
  readonly files: readonly PlannedFile[];
  readonly links: readonly PlannedLink[];
  /** All files together, unpacked. */
  readonly bytes: number;
}

export interface PlannedFile {
  readonly path: string;
  readonly isExecutable: boolean;
  /** The file's bytes, at most as many as the archive says it has. @throws MillraceError ERR_MILLRACE_PACKAGE */
  chunks(): AsyncIterable<Uint8Array>;
}

export interface PlannedLink {
  readonly path: string;
  readonly target: string;
}

/**
 * Reads the directory of a zip and refuses what no package of a function has: names that lead elsewhere, devices, links
 * that leave the root, names twice, more bytes or files than Lambda takes, and bombs.
 *
 * `archive` names it in messages. @throws MillraceError ERR_MILLRACE_PACKAGE
 */
export async function planZip(archive: string, bytes: Uint8Array): Promise<ZipPlan> {
  if (bytes.length > ARCHIVE_BYTES_MAX) throw tooLarge(archive, `the archive has ${bytes.length} bytes`);
  const zip = await readable(archive, () =>
    fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), {
      lazyEntries: true,
      autoClose: false,
      // Names are checked here, where each refusal says what to do.
      decodeStrings: false,
    }),
  );
  if (zip.entryCount > FILES_MAX) throw tooMany(archive, zip.entryCount);
  const tree = new EntryTree(archive);
  const files: PlannedFile[] = [];
  const links: (PlannedLink & { readonly entry: Entry })[] = [];
  let total = 0;
  for (const entry of await readable(archive, () => entriesOf(archive, zip))) {
    const name = nameOf(archive, entry);
    const kind = kindOf(archive, name, entry);
    const path = tree.add(name, kind);
    total += entry.uncompressedSize;
    // plant: a-zip-may-unpack-to-anything
    if (total > UNPACKED_BYTES_MAX) throw tooLarge(archive, "its files have more together");
    checkCoding(archive, name, entry);
    const chunks = () => contentOf(archive, name, zip, entry);
    if (kind === "file") files.push({ path, isExecutable: (modeOf(entry) & 0o111) !== 0, chunks });
    if (kind === "link") links.push({ path, target: await linkTarget(archive, name, entry, chunks), entry });
  }
  checkRatio(archive, total, bytes.length);
  for (const { path, target } of links) tree.checkLink(path, target);
  if (files.length === 0) {
    throw packageFault(archive, undefined, "it has no files", "Pack the function's code");
  }
  return { folders: tree.folders, files, links, bytes: total };
}

async function entriesOf(archive: string, zip: ZipFile): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    entries.push(entry);
    if (entries.length > FILES_MAX) throw tooMany(archive, entries.length);
  }
  return entries;
}

function nameOf(archive: string, { generalPurposeBitFlag, fileNameRaw, extraFields }: Entry): string {
  const name = getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true);
  if (name !== "") return name;
  throw packageFault(archive, "", "it has no name", "Pack the archive anew");
}

const KIND_MASK = 0o170_000;
const KINDS: ReadonlyMap<number, EntryKind> = new Map([
  [0, "file"],
  [0o100_000, "file"],
  [0o040_000, "folder"],
  [0o120_000, "link"],
]);

function kindOf(archive: string, name: string, entry: Entry): EntryKind {
  const kind = KINDS.get(modeOf(entry) & KIND_MASK);
  if (kind === undefined) {
    const what = "it is a device, a pipe or a socket";
    throw packageFault(archive, name, what, "Pack files, folders and links only");
  }
  // Packers of other systems than Unix say only by its name that an entry is a folder.
  return kind === "file" && name.endsWith("/") ? "folder" : kind;
}

function modeOf({ externalFileAttributes }: Entry): number {
  return externalFileAttributes >>> 16;
}

const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;

function checkCoding(archive: string, name: string, entry: Entry): void {
  if ((entry.generalPurposeBitFlag & ENCRYPTED) !== 0)
    throw packageFault(archive, name, "it is encrypted", "Pack the archive without a password");
  const { compressionMethod } = entry;
  if (compressionMethod === STORED || compressionMethod === DEFLATED) return;
  const what = `its compression method ${compressionMethod} is not known`;
  throw packageFault(archive, name, what, "Pack the archive with deflate");
}

function checkRatio(archive: string, unpacked: number, packed: number): void {
  // plant: a-zip-may-be-a-bomb
  if (unpacked <= packed * RATIO_MAX) return;
  const what = `it unpacks to ${unpacked} bytes, more than ${RATIO_MAX} for one of its own ${packed}`;
  throw packageFault(archive, undefined, what, "Leave out files that are filled with one character");
}

async function linkTarget(
  archive: string,
  name: string,
  { uncompressedSize }: Entry,
  chunks: () => AsyncIterable<Uint8Array>,
): Promise<string> {
  if (uncompressedSize > LINK_BYTES_MAX) {
    const what = `it is a link of ${uncompressedSize} bytes, more than ${LINK_BYTES_MAX}`;
    throw packageFault(archive, name, what, "Pack the file that it leads to in its place");
  }
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks()) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

/** No more than the entry's size comes: the reader stops what goes beyond. */
async function* contentOf(
  archive: string,
  name: string,
  zip: ZipFile,
  entry: Entry,
): AsyncGenerator<Uint8Array> {
  let sum = 0;
  try {
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      if (!(chunk instanceof Uint8Array)) continue;
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    throw unreadable(archive, name, error);
  }
  if (sum === entry.crc32) return;
  throw packageFault(archive, name, "its checksum is wrong: bytes were changed", "Send the archive again");
}

async function readable<Value>(archive: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw unreadable(archive, undefined, error);
  }
}

function unreadable(archive: string, name: string | undefined, error: unknown): MillraceError {
  const reason = describeError(error).slice(0, 300).replace(/\.$/, "");
  const what = `it cannot be read as a zip (${reason})`;
  return packageFault(archive, name, what, "Give a whole zip file");
}

function tooLarge(archive: string, what: string): MillraceError {
  return packageFault(
    archive,
    undefined,
    `${what}, and ${UNPACKED_BYTES_MAX} is the most that is taken`,
    "Leave out what the function does not need",
  );
}

function tooMany(archive: string, count: number): MillraceError {
  return packageFault(
    archive,
    undefined,
    `it has ${count} entries or more, and ${FILES_MAX} is the most that is taken`,
    "Bundle the code, or leave out what the function does not need",
  );
}
