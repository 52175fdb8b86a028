import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What a builder is sent of a folder: what its `.dockerignore` lets through. */
export class BuildContext {
  readonly #folder: string;
  readonly #allowed: readonly string[];

  /** Knows files of the form `*`, then `!PATH`: everything is ignored but what is named. */
  constructor(folder: string) {
    this.#folder = folder;
    const lines = readFileSync(join(folder, ".dockerignore"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    const [first, ...rest] = lines;
    if (first !== "*" || rest.some((line) => !/^![\w./-]+$/.test(line))) {
      throw new Error(".dockerignore has to begin with * and to name what is sent, line by line, as !PATH");
    }
    this.#allowed = rest.map((line) => line.slice(1));
  }

  /** The path of a file or folder that is sent, whole. */
  pathOf(name: string): string {
    const clean = name.replace(/\/$/, "");
    const isAllowed = this.#allowed.some((allowed) => clean === allowed || clean.startsWith(`${allowed}/`));
    const path = join(this.#folder, clean);
    if (!isAllowed || !existsSync(path)) throw new Error(`${name} is not in the build context`);
    return path;
  }

  isFolder(name: string): boolean {
    return statSync(this.pathOf(name)).isDirectory();
  }
}
