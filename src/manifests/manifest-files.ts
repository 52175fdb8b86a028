import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ManifestProblem } from "./problem.ts";
import { MANIFEST_BYTES_MAX } from "./yaml-documents.ts";

export interface ManifestText {
  /** As given, or joined to the folder that was given. */
  readonly file: string;
  readonly folder: string;
  readonly text: string;
}

const FILES_MAX = 1000;

/** Reads files, and of folders all `*.yaml` and `*.yml` in the order of their names; a file named twice once. */
export function readManifestFiles(paths: readonly string[]): {
  texts: ManifestText[];
  /** All that were looked for, in order. */
  files: readonly string[];
  problems: ManifestProblem[];
} {
  const texts: ManifestText[] = [];
  const problems: ManifestProblem[] = [];
  const seen = new Set<string>();
  const report = (file: string, message: string, remedy: string) => {
    problems.push({ file, place: undefined, field: undefined, message, remedy });
  };
  const files = paths.flatMap((path) => expandPath(path, report));
  for (const file of files) {
    try {
      const real = realpathSync(file);
      if (seen.has(real)) continue;
      seen.add(real);
      if (seen.size > FILES_MAX) {
        report(file, `There are more than ${FILES_MAX} manifest files`, "Name fewer, or join some");
        break;
      }
      const text = readText(file, report);
      if (text !== undefined) texts.push({ file, folder: dirname(resolve(file)), text });
    } catch (error) {
      report(file, `The file cannot be read: ${reasonOf(error)}`, "Check the path and its permissions");
    }
  }
  return { texts, files, problems };
}

type Report = (file: string, message: string, remedy: string) => void;

function expandPath(path: string, report: Report): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => name.endsWith(".yaml") || name.endsWith(".yml"));
    if (names.length === 0) {
      report(path, "The folder has no *.yaml or *.yml file", "Name a folder or file that holds manifests");
    }
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    report(path, `There is no manifest here: ${reasonOf(error)}`, "Check the path and its permissions");
    return [];
  }
}

function readText(file: string, report: Report): string | undefined {
  const found = statSync(file);
  if (found.isDirectory()) {
    report(file, "This is a folder whose name ends like a file's", "Rename it");
    return undefined;
  }
  if (found.size > MANIFEST_BYTES_MAX) {
    report(file, `The file has ${found.size} bytes; at most ${MANIFEST_BYTES_MAX} are read`, "Split it");
    return undefined;
  }
  const bytes = readFileSync(file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    report(file, "The file is not UTF-8 text", "Save it as UTF-8");
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "no such file or folder";
  if (code === "EACCES") return "permission denied";
  return error instanceof Error ? error.message : String(error);
}
