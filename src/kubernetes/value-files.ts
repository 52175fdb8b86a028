import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeError, MillraceError } from "../model/errors.ts";

/** Private files in a folder that nobody else may see; a folder in memory, where the operator gives one. */
export class ValueFiles {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The same in all processes that have the folder at the same place. */
  pathOf(id: string, version: string): string {
    // Names of objects and keys are longer than names of files may be.
    return join(this.folder, `${createHash("sha256").update(`${id} ${version}`).digest("hex").slice(0, 32)}`);
  }

  /** Whole, or not there. @throws MillraceError ERR_MILLRACE_CONFIG when it cannot be written */
  write(path: string, content: Buffer): void {
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      chmodSync(this.folder, 0o700);
      const part = `${path}.${process.pid}.part`;
      writeFileSync(part, content, { mode: 0o600 });
      renameSync(part, path);
    } catch (error) {
      throw new MillraceError(
        "ERR_MILLRACE_CONFIG",
        `Secrets of the cluster cannot be kept in ${this.folder}: ${describeError(error)}. Give a folder of this process alone by --secrets-folder.`,
      );
    }
  }

  /** Others are taken away. Never throws: what stays is private. */
  keep(paths: ReadonlySet<string>): void {
    try {
      for (const name of readdirSync(this.folder)) {
        const path = join(this.folder, name);
        if (!paths.has(path) && !name.endsWith(".part")) rmSync(path, { force: true });
      }
    } catch {
      // There is no folder: nothing was kept.
    }
  }
}
