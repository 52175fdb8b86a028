import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describeError, MillraceError } from "../model/errors.ts";
import type { OpenPackage, PackageFolders, PackageSource } from "../ports/package-folders.ts";
import { type PackageStore, UNNEEDED_MS } from "../ports/package-store.ts";
import { contentHash, isContentHash } from "./content-hash.ts";
import { extract, syncFolder } from "./extraction.ts";
import { fileMarks, isMissing } from "./file-marks.ts";
import { packageFault } from "./package-fault.ts";
import { ARCHIVE_BYTES_MAX } from "./package-limits.ts";
import { sweepUnneeded } from "./unneeded-marks.ts";
import { UNFINISHED } from "./write-whole.ts";
import { planZip } from "./zip.ts";

/** Folders `<sha256>` below `root`, one for each archive, which all processes of this host share. */
export function createPackageFolders(root: string, store: PackageStore): PackageFolders {
  return new ExtractedPackages(root, store);
}

class ExtractedPackages implements PackageFolders {
  readonly #root: string;
  readonly #store: PackageStore;
  /** By content: those that are being extracted by this process. */
  readonly #extracting = new Map<string, Promise<void>>();
  /** By content: how many hold its folder. */
  readonly #holders = new Map<string, number>();

  constructor(root: string, store: PackageStore) {
    this.#root = root;
    this.#store = store;
  }

  async open(source: PackageSource): Promise<OpenPackage> {
    if ("sha256" in source) return await this.#openStored(source.sha256);
    const found = await stat(source.path).catch((error: unknown) => {
      const what = `it cannot be read: ${describeError(error)}`;
      throw packageFault(source.path, undefined, what, "Give the path of a folder or of a zip");
    });
    if (found.isDirectory()) return { folder: source.path, sha256: undefined, release: () => undefined };
    if (!found.isFile() || found.size > ARCHIVE_BYTES_MAX) {
      const what = found.isFile() ? `it has ${found.size} bytes` : "it is neither a folder nor a file";
      throw packageFault(
        source.path,
        undefined,
        what,
        `Give a folder, or a zip of at most ${ARCHIVE_BYTES_MAX} bytes`,
      );
    }
    const bytes = await readFile(source.path);
    return await this.#hold(contentHash(bytes), source.path, async () => bytes);
  }

  #openStored(sha256: string): Promise<OpenPackage> {
    const archive = `The package ${sha256.slice(0, 64)}`;
    const missing = (what: string) =>
      packageFault(archive, undefined, what, "Put the code again, by UpdateFunctionCode");
    return this.#hold(sha256, archive, async () => {
      const bytes = isContentHash(sha256) ? await this.#store.get(sha256) : undefined;
      if (bytes === undefined) throw missing("it is not in the store of packages");
      return bytes;
    });
  }

  async #hold(sha256: string, archive: string, read: () => Promise<Uint8Array>): Promise<OpenPackage> {
    this.#holders.set(sha256, (this.#holders.get(sha256) ?? 0) + 1);
    let isHeld = true;
    const release = () => {
      if (isHeld) this.#release(sha256);
      isHeld = false;
    };
    try {
      await this.#extractOnce(sha256, archive, read);
    } catch (error) {
      release();
      throw error;
    }
    return { folder: join(this.#root, sha256), sha256, release };
  }

  #release(sha256: string): void {
    const holders = (this.#holders.get(sha256) ?? 1) - 1;
    if (holders > 0) this.#holders.set(sha256, holders);
    else this.#holders.delete(sha256);
  }

  #extractOnce(sha256: string, archive: string, read: () => Promise<Uint8Array>): Promise<void> {
    const running = this.#extracting.get(sha256);
    if (running !== undefined) return running;
    const extracting = this.#extract(sha256, archive, read).finally(() => this.#extracting.delete(sha256));
    this.#extracting.set(sha256, extracting);
    return extracting;
  }

  async #extract(sha256: string, archive: string, read: () => Promise<Uint8Array>): Promise<void> {
    const folder = join(this.#root, sha256);
    // What has its name is whole: it was renamed when it was.
    if ((await stat(folder).catch(() => undefined))?.isDirectory() === true)
      return await fileMarks(this.#root).clear(sha256);
    const plan = await planZip(archive, await read());
    const unfinished = join(this.#root, `${UNFINISHED}${randomUUID()}`);
    try {
      await mkdir(unfinished, { recursive: true, mode: 0o755 });
      await extract(plan, unfinished);
      await rename(unfinished, folder).catch((error: unknown) => {
        if (!isTaken(error)) throw error;
      });
      await syncFolder(this.#root);
    } catch (error) {
      throw error instanceof MillraceError ? error : unwritable(this.#root, error);
    } finally {
      // Another process was first, or it failed.
      await rm(unfinished, { recursive: true, force: true });
    }
  }

  async sweep(needed: ReadonlySet<string>, nowMs: number): Promise<readonly string[]> {
    const names = await readdir(this.#root).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw unwritable(this.#root, error);
    });
    const all = new Set([...needed, ...this.#holders.keys()]);
    const remove = (name: string) => rm(join(this.#root, name), { recursive: true, force: true });
    const marks = fileMarks(this.#root);
    const removed = await sweepUnneeded(names.filter(isContentHash), all, nowMs, marks, remove);
    await this.#removeUnfinished(names, nowMs);
    return removed;
  }

  /** Processes that ended meanwhile left it. */
  async #removeUnfinished(names: readonly string[], nowMs: number): Promise<void> {
    for (const name of names.filter((each) => each.startsWith(UNFINISHED))) {
      const found = await stat(join(this.#root, name)).catch(() => undefined);
      if (found === undefined || nowMs - found.mtimeMs < UNNEEDED_MS) continue;
      await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
}

function unwritable(root: string, error: unknown): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `A package could not be extracted into ${root}: ${describeError(error)}. Look at the folder's rights and its disk.`,
    { cause: error },
  );
}
