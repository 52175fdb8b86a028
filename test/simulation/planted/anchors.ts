import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Patch } from "./planted-bug.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** Where bugs are planted. */
const FOLDERS = ["src", "connectors", "test/simulation/world", "test/simulation/control"];
const ANCHOR = /^ *\/\/ plant: (\S+)$/;

/** The files of all comments `// plant: NAME`, from the repository's root, by NAME. One that stands twice has two. */
export function readAnchors(): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, string[]>();
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
      const path = join(entry.parentPath, entry.name);
      for (const name of anchorsIn(readFileSync(path, "utf8")))
        places.set(name, [...(places.get(name) ?? []), relative(ROOT, path)]);
    }
  }
  return places;
}

/** Their names, in their order. */
export function anchorsIn(source: string): readonly string[] {
  if (!source.includes("// plant: ")) return [];
  return source.split("\n").flatMap((line) => ANCHOR.exec(line)?.[1] ?? []);
}

/** The source with the bug in it. Its lines keep their numbers as far as the bug. */
export function plantAt(source: string, { at, lines = 1, instead }: Patch): string {
  const all = source.split("\n");
  let first = all.findIndex((line) => ANCHOR.exec(line)?.[1] === at) + 1;
  if (first === 0) throw new Error(`there is no comment "// plant: ${at}"`);
  while (ANCHOR.test(all[first] ?? "")) first++;
  return [...all.slice(0, first), instead, ...all.slice(first + lines)].join("\n");
}
