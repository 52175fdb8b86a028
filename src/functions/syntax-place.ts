import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";

/** Node's parser begins a stack with the place, where it tells it. */
const PLACE = /^(?:file:\/\/)?\/?[^\n]*:\d+$/;
const FILES_MAX = 100;

/**
 * `FILE:LINE` of a syntax error; `undefined`: nobody can say. Of an ES module in JavaScript Node tells no place to the
 * program, so that these files are parsed once more, the last one first.
 */
export function syntaxPlace(error: unknown, files: readonly string[]): string | undefined {
  const told = placeIn(error);
  if (told !== undefined) return told;
  for (const file of files.slice(-FILES_MAX).reverse()) {
    const place = placeIn(parseFault(file));
    if (place !== undefined) return place;
  }
  return undefined;
}

function placeIn(error: unknown): string | undefined {
  const first = error instanceof Error ? error.stack?.split("\n", 1)[0] : undefined;
  if (first === undefined || !PLACE.test(first)) return undefined;
  return first.startsWith("file:")
    ? `${fileURLToPath(first.replace(/:\d+$/, ""))}${/:\d+$/.exec(first)?.[0]}`
    : first;
}

/** Types are stripped from JavaScript too: there are none, and its syntax is looked at. */
function parseFault(file: string): unknown {
  const { emitWarning } = process;
  // That the parser is new is no matter of the function's.
  process.emitWarning = () => {};
  try {
    stripTypeScriptTypes(readFileSync(file, "utf8"), { sourceUrl: file });
    return undefined;
  } catch (error) {
    return error;
  } finally {
    process.emitWarning = emitWarning;
  }
}
