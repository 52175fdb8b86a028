import { readFileSync, statSync } from "node:fs";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Flags } from "./command.ts";
import { lastValue } from "./parse-flags.ts";

/** Larger than the largest payload of any source, so that a slip such as a disk image ends at once. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The text of the file that a flag names.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function readFlagFile(flags: Flags, name: string): string {
  return readNamedFile(lastValue(flags, name) ?? "", name);
}

/** @throws as `readFlagFile` */
export function readNamedFile(file: string, name: string): string {
  try {
    if (statSync(file).size <= FILE_BYTES_MAX) return readFileSync(file, "utf8");
  } catch (error) {
    const reason = `The file of --${name} cannot be read: ${describeError(error)}. Check the path.`;
    throw new MillraceError("ERR_MILLRACE_CONFIG", reason, { cause: error });
  }
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The file of --${name}, ${file}, has more than ${FILE_BYTES_MAX} bytes. Give a smaller one.`,
  );
}
