import { statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { RuntimeError } from "../module-failure.ts";

const EXTENSIONS = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

/**
 * `folder/index.handler`: the file, and the name of what it exports, behind the first dot of the last part. From the
 * root of the code, or of the machine: layers that wrap a handler name theirs so. As on Lambda no part leads upwards.
 * @throws RuntimeError with Lambda's error types
 */
export function handlerPlace(
  root: string,
  handler: string,
): { readonly path: string; readonly exportName: string } {
  if (handler.includes(".."))
    throw new RuntimeError(
      "Runtime.MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  const last = basename(handler);
  const dot = last.indexOf(".");
  if (dot <= 0 || dot === last.length - 1)
    throw new RuntimeError("Runtime.MalformedHandlerName", "Bad handler");
  const file = resolve(root, dirname(handler), last.slice(0, dot));
  const exportName = last.slice(dot + 1);
  for (const extension of EXTENSIONS) {
    const path = file + extension;
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return { path, exportName };
  }
  const name = join(dirname(handler), last.slice(0, dot));
  throw new RuntimeError("Runtime.ImportModuleError", `Error: Cannot find module '${name}'`);
}
