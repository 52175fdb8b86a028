import { readdirSync, statSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import type { FunctionTargetSpec } from "../manifests/function-target-spec.ts";
import type { FunctionResource } from "../manifests/resources.ts";

/** Files of one function; those of packages that were installed are none of them. */
const FILES_MAX = 1_000;
const PASSED_OVER = new Set(["node_modules", "__pycache__", ".git"]);
const INSTALLED = `${sep}node_modules${sep}`;

/** The files that functions of this process were made of, as they were then. */
export class ModuleFiles {
  /** By function, and by the module, or code, that is its target or that of one of its versions. */
  readonly #stamps = new Map<string, Map<string, ReadonlyMap<string, string>>>();
  readonly #followsImports: boolean;

  constructor(followsImports: boolean) {
    this.#followsImports = followsImports;
  }

  /**
   * The target is opened, or opened anew: only what it is made of from now on counts. What is returned is to be told of
   * each file that it imports.
   */
  opening({ name, target }: FunctionResource): ((path: string) => void) | undefined {
    if (target.kind !== "module" && target.kind !== "runtime") return undefined;
    const files = new Map<string, string>();
    const modules = this.#stamps.get(name) ?? new Map<string, ReadonlyMap<string, string>>();
    const entry = entryOf(target);
    if (entry === undefined) return undefined;
    this.#stamps.set(name, modules.set(entry, files));
    if (target.kind === "runtime") addFolder(files, entry);
    else add(files, entry);
    return this.#followsImports ? (path) => add(files, path) : undefined;
  }

  /** Functions of which a file is another than it was. */
  changed(): readonly string[] {
    return [...this.#stamps.keys()].filter((name) => this.#changesOf(name).length > 0);
  }

  /** Another text when one of them is another, whatever it was made of. */
  changes(): string {
    return [...this.#stamps.keys()].flatMap((name) => this.#changesOf(name)).join("\n");
  }

  folders(): ReadonlySet<string> {
    const paths = [...this.#stamps.keys()].flatMap((name) =>
      this.#filesOf(name).map(([path]) => dirname(path)),
    );
    return new Set(paths);
  }

  #changesOf(name: string): readonly string[] {
    return this.#filesOf(name).flatMap(([path, stamp]) => {
      const now = stampOf(path);
      return now === stamp ? [] : [`${name} ${path} ${now}`];
    });
  }

  #filesOf(name: string): readonly (readonly [path: string, stamp: string])[] {
    return [...(this.#stamps.get(name)?.values() ?? [])].flatMap((files) => [...files]);
  }
}

/** `undefined`: a package, which never changes. */
function entryOf(target: Extract<FunctionTargetSpec, { kind: "module" | "runtime" }>): string | undefined {
  if (target.kind === "module") return resolve(target.path);
  return "path" in target.code ? resolve(target.code.path) : undefined;
}

/** A zip counts as one file. What Python keeps beside its sources is written by the function itself. */
function addFolder(files: Map<string, string>, folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isFile() === true) add(files, folder);
  if (found?.isDirectory() !== true || files.size >= FILES_MAX) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) add(files, path);
    else if (entry.isDirectory() && !PASSED_OVER.has(entry.name)) addFolder(files, path);
  }
}

function add(files: Map<string, string>, path: string): void {
  if (path.includes(INSTALLED) || files.has(path) || files.size >= FILES_MAX) return;
  files.set(path, stampOf(path));
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? "none" : `${found.mtimeMs} ${found.size} ${found.ino}`;
}
