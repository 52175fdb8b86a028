import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** An import of one file of the project by another, or of a package (`target` begins with `npm:` or `node:`). */
export interface Import {
  readonly from: string;
  readonly target: string;
}

/** All imports of the TypeScript files below a folder of the project, with paths from the project's root. */
export function readImports(folder: string): Import[] {
  return sourceFiles(join(ROOT, folder)).flatMap((file) => {
    const from = relative(ROOT, file);
    return importsOf(from, readFileSync(file, "utf8"));
  });
}

export function importsOf(from: string, source: string): Import[] {
  return specifiersOf(source).map((specifier) => ({ from, target: resolveTarget(from, specifier) }));
}

/** Specifiers of `import … from`, `export … from`, bare `import`, dynamic `import()`, `new URL(…, import.meta.url)`. */
function specifiersOf(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  const forms = [
    /^\s*(?:import|export)\s[^;"'`]*?\sfrom\s*["']([^"']+)["']/gm,
    /^\s*import\s*["']([^"']+)["']/gm,
    /\bimport\(\s*["']([^"']+)["']/g,
    /\bnew URL\(\s*["'](\.[^"']+\.[jt]s)["']\s*,\s*import\.meta\.url/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].flatMap((match) => match[1] ?? []));
}

function resolveTarget(from: string, specifier: string): string {
  if (specifier.startsWith(".")) return join(dirname(from), specifier);
  return specifier.startsWith("node:") ? specifier : `npm:${specifier}`;
}

export function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}
