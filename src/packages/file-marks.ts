import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { UnneededMarks } from "./unneeded-marks.ts";
import { writeWhole } from "./write-whole.ts";

const SUFFIX = ".unneeded";

export function fileMarks(folder: string): UnneededMarks {
  const at = (name: string) => join(folder, `${name}${SUFFIX}`);
  return {
    async read(name) {
      try {
        return await readFile(at(name), "utf8");
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    write: (name, text) => writeWhole(folder, `${name}${SUFFIX}`, Buffer.from(text)),
    clear: (name) => rm(at(name), { force: true }),
  };
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
