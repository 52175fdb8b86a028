import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CONTRACT_BUGS } from "../contract/planted/contract-bugs.ts";
import { CONTROL_BUGS } from "./control/control-bugs.ts";
import { EVENT_BUGS } from "./events/event-bugs.ts";
import { GRANT_BUGS } from "./grants/grant-bugs.ts";
import { HOST_BUGS } from "./host/host-bugs.ts";
import { anchorsIn, plantAt, readAnchors } from "./planted/anchors.ts";
import type { Patch } from "./planted/planted-bug.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { QUARANTINE_BUGS } from "./quarantine/quarantine-bugs.ts";
import { REDRIVE_BUGS } from "./redrive/redrive-bugs.ts";
import { SCALER_BUGS } from "./scaler/scaler-bugs.ts";
import { SCHEDULE_BUGS } from "./schedules/schedule-bugs.ts";
import { TENANT_BUGS } from "./tenants/tenant-bugs.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/**
 * A name that is not there, or a text that is no TypeScript: an engine that breaks on it is caught for the wrong
 * reason.
 */
const NAMES_NOTHING = /error TS(1\d{3}|2304|2339|2551|2552|2663|18004):/;

const patches = new Map(
  [
    ...PLANTED_BUGS,
    ...CONTRACT_BUGS,
    ...CONTROL_BUGS,
    ...EVENT_BUGS,
    ...GRANT_BUGS,
    ...TENANT_BUGS,
    ...HOST_BUGS,
    ...REDRIVE_BUGS,
    ...SCALER_BUGS,
    ...QUARANTINE_BUGS,
    ...SCHEDULE_BUGS,
  ].flatMap((bug) => bug.patches.map((patch) => [patch.at, patch] as const)),
);
const places = readAnchors();

describe("what is planted", () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-planted-code-"));
  after(() => rmSync(folder, { recursive: true }));

  test("every planted bug has its comment in the sources, once, and every comment its bug", () => {
    for (const at of patches.keys())
      assert.equal(places.get(at)?.length, 1, `"// plant: ${at}" must stand once`);
    assert.deepEqual(
      [...places.keys()].filter((name) => !patches.has(name)),
      [],
    );
  });

  test("names only what is there", { timeout: 600_000 }, () => {
    for (const name of ["src", "connectors", "test", "tsconfig.json", "package.json"])
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const faults: string[] = [];
    for (let round = 0; round < 20 && plantRound(folder, round); round++) faults.push(...namelessIn(folder));
    assert.deepEqual(faults, []);
  });

  test("a planted text that names nothing is found", () => {
    assert.match("src/a.ts(1,2): error TS2304: Cannot find name 'x'.", NAMES_NOTHING);
    assert.doesNotMatch("src/a.ts(1,2): error TS6133: 'x' is declared but never read.", NAMES_NOTHING);
  });
});

/** Plants into each file every `round`-th of the bugs that share their lines; false: there was none left. */
function plantRound(folder: string, round: number): boolean {
  let planted = 0;
  for (const file of new Set([...places.values()].flat())) {
    const source = readFileSync(join(ROOT, file), "utf8");
    const chosen = rounds(source)[round] ?? [];
    planted += chosen.length;
    writeFileSync(join(folder, file), chosen.reduce(plantAt, source));
  }
  return planted > 0;
}

/**
 * The patches of a file, in groups of which no two change the same lines: what follows one comment directly is
 * another's too.
 */
function rounds(source: string): readonly (readonly Patch[])[] {
  const groups: Patch[][] = [];
  const lines = source.split("\n");
  let ends: number[] = [];
  for (const at of anchorsIn(source)) {
    const patch = patches.get(at);
    if (patch === undefined) continue;
    const first = lines.findIndex((line) => line.endsWith(`// plant: ${at}`));
    let group = ends.findIndex((end) => end < first);
    if (group < 0) group = ends.length;
    // Further comments stand between the first and what is replaced.
    const from = lines.findIndex((line, index) => index > first && !line.includes("// plant: "));
    ends = [...ends.slice(0, group), from + (patch.lines ?? 1) - 1, ...ends.slice(group + 1)];
    groups[group] = [...(groups[group] ?? []), patch];
  }
  return groups;
}

function namelessIn(folder: string): readonly string[] {
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const known = join(folder, "tsbuildinfo.json");
  const { stdout, error } = spawnSync(
    process.execPath,
    // Most of the files are as they were in the round before.
    [tsc, "-p", folder, "--noEmit", "--incremental", "--tsBuildInfoFile", known, "--pretty", "false"],
    {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (error !== undefined) throw error;
  return stdout.split("\n").filter((line) => NAMES_NOTHING.test(line));
}
