import { statSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import type { FunctionResource, FunctionTargetSpec } from "../manifests/resources.ts";

/** Files of one function; those of packages that were installed are none of them. */
const FILES_MAX = 1_000;
const INSTALLED = `${sep}node_modules${sep}`;

/** The files that functions of this process were made of, as they were then. */
export class ModuleFiles {
  readonly #stamps = new Map<string, Map<string, string>>();
  readonly #followsImports: boolean;

  constructor(followsImports: boolean) {
    this.#followsImports = followsImports;
  }

  /**
   * The function is opened, or opened anew: only what it is made of from now on counts. What is returned is to be told
   * of each file that it imports.
   */
  opening({ name, target, versions }: FunctionResource): ((path: string) => void) | undefined {
    const files = new Map<string, string>();
    this.#stamps.set(name, files);
    for (const spec of [target, ...versions.values()]) for (const path of entryOf(spec)) add(files, path);
    return this.#followsImports ? (path) => add(files, path) : undefined;
  }

  /** Functions of which a file is another than it was. */
  changed(): readonly string[] {
    return [...this.#stamps].flatMap(([name, files]) => {
      return [...files].some(([path, stamp]) => stampOf(path) !== stamp) ? [name] : [];
    });
  }

  /** Another text when one of them is another, whatever it was made of. */
  changes(): string {
    const changed = [...this.#stamps].flatMap(([name, files]) => {
      return [...files].flatMap(([path, stamp]) => {
        const now = stampOf(path);
        return now === stamp ? [] : [`${name} ${path} ${now}`];
      });
    });
    return changed.join("\n");
  }

  folders(): ReadonlySet<string> {
    return new Set([...this.#stamps.values()].flatMap((files) => [...files.keys()].map(dirname)));
  }
}

function entryOf(target: FunctionTargetSpec): readonly string[] {
  return target.kind === "module" ? [resolve(target.path)] : [];
}

function add(files: Map<string, string>, path: string): void {
  if (path.includes(INSTALLED) || files.has(path) || files.size >= FILES_MAX) return;
  files.set(path, stampOf(path));
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? "none" : `${found.mtimeMs} ${found.size} ${found.ino}`;
}
