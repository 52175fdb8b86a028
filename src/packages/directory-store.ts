import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describeError, MillraceError } from "../model/errors.ts";
import type { PackageStore, StoredPackage } from "../ports/package-store.ts";
import { contentHash, isContentHash } from "./content-hash.ts";
import { fileMarks, isMissing } from "./file-marks.ts";
import { packageFault } from "./package-fault.ts";
import { sweepUnneeded } from "./unneeded-marks.ts";
import { writeWhole } from "./write-whole.ts";

const SUFFIX = ".zip";

/** Archives as files `<sha256>.zip` of a folder, which several hosts may share. It is made when it is needed. */
export function createDirectoryStore(folder: string): PackageStore {
  return new DirectoryStore(folder);
}

class DirectoryStore implements PackageStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  put(archive: Uint8Array): Promise<StoredPackage> {
    return this.#reach(async () => {
      const sha256 = contentHash(archive);
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      // plant: a-package-is-removed-that-was-put-again
      await fileMarks(this.#folder).clear(sha256);
      if (!(await this.#isWhole(sha256, archive.length)))
        await writeWhole(this.#folder, `${sha256}${SUFFIX}`, archive);
      return { sha256, bytes: archive.length };
    });
  }

  async get(sha256: string): Promise<Uint8Array | undefined> {
    if (!isContentHash(sha256)) return undefined;
    const bytes = await this.#reach(() => this.#read(sha256));
    if (bytes === undefined) return undefined;
    checkContent(this.#folder, sha256, bytes);
    return bytes;
  }

  sweep(needed: ReadonlySet<string>, nowMs: number): Promise<readonly string[]> {
    return this.#reach(async () => {
      const names = await readdir(this.#folder).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      const kept = names
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => name.slice(0, -SUFFIX.length))
        .filter(isContentHash);
      const remove = (sha256: string) => rm(join(this.#folder, `${sha256}${SUFFIX}`), { force: true });
      return await sweepUnneeded(kept, needed, nowMs, fileMarks(this.#folder), remove);
    });
  }

  async close(): Promise<void> {
    // Nothing is held open.
  }

  async #read(sha256: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#folder, `${sha256}${SUFFIX}`));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** One that was damaged is put anew. */
  async #isWhole(sha256: string, bytes: number): Promise<boolean> {
    const found = await stat(join(this.#folder, `${sha256}${SUFFIX}`)).catch(() => undefined);
    if (found?.size !== bytes) return false;
    const kept = await this.#read(sha256);
    return kept !== undefined && contentHash(kept) === sha256;
  }

  async #reach<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    try {
      return await call();
    } catch (error) {
      const what = `The folder of packages ${this.#folder} cannot be used: ${describeError(error)}`;
      throw new MillraceError(
        "ERR_MILLRACE_STORE_UNAVAILABLE",
        `${what}. Look at its rights and its disk, or name another by --packages dir:PATH.`,
        { cause: error },
      );
    }
  }
}

/** @throws MillraceError ERR_MILLRACE_PACKAGE */
export function checkContent(place: string, sha256: string, bytes: Uint8Array): void {
  // plant: a-damaged-package-is-handed-out
  if (contentHash(bytes) === sha256) return;
  throw packageFault(
    `The package ${sha256} in ${place}`,
    undefined,
    "its bytes are not those that were put there",
    "Put the code again, by UpdateFunctionCode",
  );
}
