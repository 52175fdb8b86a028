import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A failure destination with its path made absolute: `file:/var/lib/failed.jsonl`. `undefined`: of no known kind. */
export function parseDestination(uri: string, folder: string): string | undefined {
  if (!uri.startsWith("file:") || uri === "file:" || uri.endsWith("/")) return undefined;
  if (!uri.startsWith("file://")) return `file:${resolve(folder, uri.slice("file:".length))}`;
  try {
    return `file:${fileURLToPath(uri)}`;
  } catch {
    return undefined;
  }
}
