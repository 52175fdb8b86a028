import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import {
  formatProblems,
  type LoadedManifests,
  loadManifests,
  type Manifests,
} from "../manifests/load-manifests.ts";
import { readManifestFiles } from "../manifests/manifest-files.ts";
import { formatProblem, problemCount } from "../manifests/problem.ts";
import type { CliHost, Flags } from "./command.ts";
import { readPlace } from "./place-flags.ts";
import { templateReader } from "./template-flags.ts";

export const FILENAME_FLAG = {
  short: "f",
  value: "FILE_OR_FOLDER",
  isRepeatable: true,
  isRequired: true,
  description: "Manifest file, or folder whose *.yaml and *.yml files are read. May be repeated.",
} as const;

/** What `--filename` names, as it is now. */
export function loadNamed(flags: Flags, host: CliHost): LoadedManifests {
  if (!flags.has("filename"))
    return { kind: "valid", manifests: { functions: [], mappings: [], isNone: true } };
  const { connectors, destinations, targets, clock } = host.adapters;
  const readTemplate = templateReader(flags, host);
  const place = readPlace(flags, host);
  const context = { connectors, destinations, targets, nowMs: clock.now(), place, readTemplate };
  return loadManifests(flags.get("filename") ?? [], context);
}

/** Another text whenever one of the files that `--filename` names is another, is gone or is new. */
export function digestNamed(flags: Flags): string {
  const read = readManifestFiles(flags.get("filename") ?? []);
  return createHash("sha256").update(JSON.stringify(read)).digest("hex");
}

/** Where the files are that `--filename` names. */
export function foldersNamed(flags: Flags): ReadonlySet<string> {
  const paths = flags.get("filename") ?? [];
  const named = paths.map((path) => resolve(path));
  return new Set([
    ...named.map(dirname),
    ...named,
    ...readManifestFiles(paths).texts.map(({ folder }) => folder),
  ]);
}

/** The manifests that `--filename` names; `undefined` when they are not valid, after the reasons have been shown. */
export function readManifests(flags: Flags, host: CliHost): Manifests | undefined {
  const loaded = loadNamed(flags, host);
  if (loaded.kind === "valid") {
    for (const remark of loaded.remarks ?? []) host.stderr.write(`${formatProblem(remark)}\n`);
    return loaded.manifests;
  }
  const count = problemCount(loaded.problems);
  host.stderr.write(
    `${formatProblems(loaded.problems)}\n${count} ${count === 1 ? "problem" : "problems"}.\n`,
  );
  return undefined;
}
