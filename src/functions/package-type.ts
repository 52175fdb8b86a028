import { readFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";

/** By the `type` of its package a file is of the other kind of module than what it is written as. */
const OTHER_ENDING: Readonly<Record<string, { readonly module: string; readonly commonjs: string }>> = {
  ".ts": { module: ".mts", commonjs: ".cts" },
  ".js": { module: ".mjs", commonjs: ".cjs" },
};
const MODULE_SYNTAX = /^\s*(?:export\s+(?:\w|[{*])|import\s*["'\w{*])/m;
const COMMONJS_SYNTAX = /\bmodule\.exports\b|^\s*exports\.\w|\brequire\s*\(/m;

/**
 * What to do about a module that cannot be loaded since its package says that it is of the other kind; `undefined`:
 * that is not the reason. Node takes the word of a `package.json` before it looks at the file.
 */
export function packageTypeHint(path: string): string | undefined {
  const extension = extname(path);
  const endings = OTHER_ENDING[extension];
  const stated = endings && statedType(dirname(path));
  if (stated === undefined) return undefined;
  const text = readOrNothing(path);
  const wanted = stated.type === "commonjs" ? "module" : "commonjs";
  const isOther = (wanted === "module" ? MODULE_SYNTAX : COMMONJS_SYNTAX).test(text);
  if (!isOther) return undefined;
  const name = basename(path, extension);
  const what = wanted === "module" ? "an ES module (import, export)" : "a CommonJS module (require, exports)";
  return `${name}${extension} is ${what}, and "type" in ${stated.file} says "${stated.type}": rename it to ${name}${endings?.[wanted]}, or set "type" to "${wanted}".`;
}

/** The nearest `package.json` above, when it states a type. */
function statedType(
  from: string,
): { readonly file: string; readonly type: "module" | "commonjs" } | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    const text = readOrNothing(file);
    if (text !== "") {
      const type = typeIn(text);
      return type === undefined ? undefined : { file, type };
    }
    if (dirname(folder) === folder) return undefined;
  }
}

function typeIn(text: string): "module" | "commonjs" | undefined {
  try {
    const { type } = JSON.parse(text);
    return type === "module" || type === "commonjs" ? type : undefined;
  } catch {
    return undefined;
  }
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
