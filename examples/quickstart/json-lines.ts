import { existsSync, readFileSync } from "node:fs";

/** The lines of a file that need not exist. One that a killed process left unfinished is passed over. */
export function readJsonLines(path: string): readonly unknown[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
}
