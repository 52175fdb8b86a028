import { basename, extname } from "node:path";
import { pathToFileURL } from "node:url";
import { describeThrown, RuntimeError } from "./module-failure.ts";
import { packageTypeHint } from "./package-type.ts";
import { syntaxPlace } from "./syntax-place.ts";

/** A Lambda Node handler: async, returning a promise, calling back, or returning a plain value. */
export type Handler = (event: unknown, context: object, callback: HandlerCallback) => unknown;
export type HandlerCallback = (error?: unknown, result?: unknown) => void;

/**
 * Imports an ES or CommonJS module, JavaScript or TypeScript, and finds its handler. `exportName` may lead into nested
 * objects by dots, and may begin with the file's name as Lambda's `index.handler` does. `imported` grows by what the
 * module imports, where somebody follows that.
 * @throws RuntimeError with Lambda's error types when there is no such module or function.
 */
export async function loadHandler(
  path: string,
  exportName: string,
  imported: readonly string[] = [],
): Promise<Handler> {
  const namespace = await importModule(path, imported);
  const names = exportName.split(".");
  const handler = findExport(namespace, names) ?? findExport(namespace, withoutFileName(path, names));
  if (typeof handler === "function") return handler as Handler;
  const found = handler === undefined ? "does not export it" : `exports something else: ${typeof handler}`;
  throw new RuntimeError(
    "Runtime.HandlerNotFound",
    `The function's handler "${exportName}" is not there: the module ${found}. It exports ${listExports(namespace)}.`,
  );
}

const KEPT_SYNTAX =
  "Node takes types out of TypeScript and makes no code of it: write it without enum, namespace and parameter properties (erasableSyntaxOnly of tsconfig.json finds them), or name the compiled file.";

function syntaxHint(path: string, error: unknown, imported: readonly string[]): string {
  const place = syntaxPlace(error, [path, ...imported]);
  if (place === undefined)
    return `"node --check ${path}" shows the place, or it is in a module that this one imports.`;
  return `It is at ${place}; "node --check ${place.replace(/:\d+$/, "")}" shows it.`;
}

async function importModule(path: string, imported: readonly string[]): Promise<object> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const { errorType, message } = describeThrown(error);
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (error instanceof SyntaxError || code.includes("TYPESCRIPT_SYNTAX")) {
      // Another ending cures nothing of what Node makes no code of.
      const isKept = code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX";
      const other = isKept ? KEPT_SYNTAX : packageTypeHint(path);
      const hint = other ?? syntaxHint(path, error, imported);
      throw new RuntimeError("Runtime.UserCodeSyntaxError", `${message}. ${hint}`, error);
    }
    if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") {
      throw new RuntimeError("Runtime.ImportModuleError", message, error);
    }
    const hint = error instanceof ReferenceError ? packageTypeHint(path) : undefined;
    if (hint !== undefined) throw new RuntimeError(errorType, `${message}. ${hint}`, error);
    throw new RuntimeError(errorType, `The module failed while it was loaded: ${message}`, error);
  }
}

/** The exports of a CommonJS module stand in `default`; only those that Node could foresee also stand beside it. */
function findExport(namespace: object, names: readonly string[]): unknown {
  if (names.length === 0) return undefined;
  const direct = follow(namespace, names);
  return direct ?? follow(follow(namespace, ["default"]), names);
}

function follow(start: unknown, names: readonly string[]): unknown {
  let value = start;
  for (const name of names) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

function withoutFileName(path: string, names: readonly string[]): readonly string[] {
  return names[0] === basename(path, extname(path)) ? names.slice(1) : [];
}

const LISTED_EXPORTS_MAX = 10;

function listExports(namespace: object): string {
  const names = Object.keys(namespace).filter((name) => name !== "default" && name !== "module.exports");
  return names.length === 0 ? "no names" : names.slice(0, LISTED_EXPORTS_MAX).join(", ");
}
