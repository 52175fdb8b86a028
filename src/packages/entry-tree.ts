import { entryParts, foldedName } from "./entry-name.ts";
import { packageFault } from "./package-fault.ts";

export type EntryKind = "file" | "folder" | "link";

interface Known {
  readonly path: string;
  readonly kind: EntryKind;
}

/**
 * The names of an archive, each once. Names that differ in case only are one name on some hosts, where the last written
 * would win; so they are refused everywhere.
 */
export class EntryTree {
  readonly #archive: string;
  readonly #known = new Map<string, Known>();

  constructor(archive: string) {
    this.#archive = archive;
  }

  get folders(): readonly string[] {
    return [...this.#known.values()].filter(({ kind }) => kind === "folder").map(({ path }) => path);
  }

  /** Answers its path below the root. @throws MillraceError ERR_MILLRACE_PACKAGE */
  add(name: string, kind: EntryKind): string {
    const parts = entryParts(this.#archive, name);
    if (parts.length === 0 && kind !== "folder") {
      throw packageFault(this.#archive, name, "it has no name", "Pack the archive anew");
    }
    for (let depth = 1; depth < parts.length; depth++) {
      this.#note(name, parts.slice(0, depth).join("/"), "folder");
    }
    const path = parts.join("/");
    if (parts.length > 0) this.#note(name, path, kind);
    return path;
  }

  /**
   * Where a link leads must be inside, and not by way of another link: what that is in the end nobody can say here.
   * @throws MillraceError ERR_MILLRACE_PACKAGE
   */
  checkLink(path: string, target: string): void {
    const refuse = (what: string) =>
      packageFault(this.#archive, path, what, "Pack the file that it leads to in its place");
    if (target === "" || target.includes("\0")) throw refuse("it is a link to nothing that can be");
    if (target.startsWith("/")) throw refuse("it is a link to an absolute path");
    const at = path.split("/").slice(0, -1);
    const steps = target.split("/").filter((part) => part !== "" && part !== ".");
    for (const [index, step] of steps.entries()) {
      // plant: a-link-of-a-zip-may-leave-its-folder
      if (step === ".." && at.length === 0) throw refuse("it is a link that leaves the archive's folder");
      if (step === "..") at.pop();
      else at.push(step);
      const isLink = this.#known.get(foldedName(at.join("/")))?.kind === "link";
      if (isLink && index < steps.length - 1) throw refuse("it is a link that leads through another link");
    }
  }

  #note(name: string, path: string, kind: EntryKind): void {
    const known = this.#known.get(foldedName(path));
    if (known === undefined) this.#known.set(foldedName(path), { path, kind });
    else if (known.path !== path || known.kind !== "folder" || kind !== "folder") {
      const what = `there are two entries for one name (${JSON.stringify(known.path.slice(0, 200))}), or would be where case does not count`;
      throw packageFault(this.#archive, name, what, "Keep one of them");
    }
  }
}
