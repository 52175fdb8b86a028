import { lstat, readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { packageFault } from "./package-fault.ts";
import { FILES_MAX, UNPACKED_BYTES_MAX } from "./package-limits.ts";

/** What is no code, and changes while code is the same: history, and what millrace and sam keep beside a template. */
const LEFT_OUT: readonly string[] = [".aws-sam", ".git", ".millrace"];

/**
 * A zip of a folder, or the zip that `path` is. The same files make the same bytes on every host, and by any version
 * of Node: nothing is compressed, and no time is said.
 * @throws MillraceError ERR_MILLRACE_PACKAGE when the folder has more than a package may; whatever reading throws.
 */
export async function archiveOf(path: string): Promise<Uint8Array> {
  if (!(await stat(path)).isDirectory()) return await readFile(path);
  const writing = new Writing(path);
  await writing.add("");
  return writing.end();
}

interface Packed {
  readonly name: Buffer;
  readonly content: Buffer;
  readonly mode: number;
}

class Writing {
  readonly #root: string;
  readonly #entries: Packed[] = [];
  #bytes = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** `inside`: a folder of the root, with a slash behind it; empty: the root. */
  async add(inside: string): Promise<void> {
    for (const name of (await readdir(join(this.#root, inside))).toSorted()) {
      if (LEFT_OUT.includes(name)) continue;
      const path = `${inside}${name}`;
      const found = await lstat(join(this.#root, path));
      if (found.isDirectory()) await this.add(`${path}/`);
      else if (found.isSymbolicLink())
        this.#push(path, Buffer.from(await readlink(join(this.#root, path))), 0o120_777);
      else if (found.isFile()) {
        this.#count(found.size);
        const mode = (found.mode & 0o111) === 0 ? 0o100_644 : 0o100_755;
        this.#push(path, await readFile(join(this.#root, path)), mode);
      }
    }
  }

  end(): Uint8Array {
    const locals: Buffer[] = [];
    const directory: Buffer[] = [];
    let offset = 0;
    for (const { name, content, mode } of this.#entries) {
      const facts = factsOf(name, content);
      locals.push(Buffer.from("PK\x03\x04", "latin1"), facts, Buffer.alloc(2), name, content);
      const rest = Buffer.alloc(16);
      // No extra field, comment or disk; what Unix says of the file; where it begins.
      rest.writeUInt32LE((mode << 16) >>> 0, 8);
      rest.writeUInt32LE(offset, 12);
      const madeByUnix = Buffer.from([20, 3]);
      directory.push(Buffer.from("PK\x01\x02", "latin1"), madeByUnix, facts, rest, name);
      offset += 30 + name.length + content.length;
    }
    const size = directory.reduce((sum, part) => sum + part.length, 0);
    const end = Buffer.alloc(22);
    end.write("PK\x05\x06", "latin1");
    end.writeUInt16LE(this.#entries.length, 8);
    end.writeUInt16LE(this.#entries.length, 10);
    end.writeUInt32LE(size, 12);
    end.writeUInt32LE(offset, 16);
    return Buffer.concat([...locals, ...directory, end]);
  }

  #push(path: string, content: Buffer, mode: number): void {
    if (this.#entries.length >= FILES_MAX)
      throw this.#fault(`it has more than ${FILES_MAX} files`, "Leave out what is no code");
    this.#entries.push({ name: Buffer.from(path), content, mode });
  }

  /** Before it is read: what is too much is not held. */
  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= UNPACKED_BYTES_MAX) return;
    throw this.#fault(`its files have more than ${UNPACKED_BYTES_MAX} bytes`, "Leave out what is no code");
  }

  #fault(what: string, remedy: string) {
    return packageFault(`The folder ${this.#root}`, undefined, what, remedy);
  }
}

const UTF8_NAMES = 0x800;
/** 1 January 1980: the first day that a zip can say. */
const NO_DATE = 0x21;

/** What the file's own header and the directory both say: stored, by its size and checksum. */
function factsOf(name: Buffer, content: Buffer): Buffer {
  const facts = Buffer.alloc(24);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(UTF8_NAMES, 2);
  facts.writeUInt16LE(NO_DATE, 8);
  facts.writeUInt32LE(crc32(content), 10);
  facts.writeUInt32LE(content.length, 14);
  facts.writeUInt32LE(content.length, 18);
  facts.writeUInt16LE(name.length, 22);
  return facts;
}
