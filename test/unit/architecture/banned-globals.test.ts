import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { ROOT, sourceFiles } from "./imports.ts";

const BIOME = createRequire(import.meta.url).resolve("@biomejs/biome/bin/biome");

/** Lints a file with the project's rules, in a folder of its own: a file in the tree would be seen by other tests. */
function lint(t: TestContext, path: string, code: string): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-lint-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { $schema, vcs, ...rules } = JSON.parse(readFileSync(join(ROOT, "biome.json"), "utf8"));
  writeFileSync(join(folder, "biome.json"), JSON.stringify(rules));
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), code);
  const args = [BIOME, "lint", "--colors=off", "--max-diagnostics=none", path];
  const { stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  if (error !== undefined) throw error;
  return stdout + stderr;
}

const BANNED = [
  "Date.now()",
  "new Date()",
  "setTimeout(() => {}, 1)",
  "setInterval(() => {}, 1)",
  "setImmediate(() => {})",
  "performance.now()",
  "process.env",
  "fetch('http://x/')",
  "crypto.randomUUID()",
  "console.log(1)",
  "globalThis.Date",
];

for (const folder of [
  "src/engine/stream",
  "src/invocation",
  "src/parking",
  "src/schedules",
  "src/rollouts",
]) {
  test(`${folder} can use no global time, chance or I/O`, (t) => {
    const code = BANNED.map((use, index) => `export const x${index} = ${use};\n`).join("");
    const found = lint(t, `${folder}/planted.ts`, code);
    const missed = BANNED.filter((_, index) => {
      return !new RegExp(`planted\\.ts:${index + 1}:\\d+ lint/style/noRestrictedGlobals`).test(found);
    });
    assert.deepEqual(missed, [], found);
  });
}

test("adapters may", (t) => {
  assert.doesNotMatch(
    lint(t, "src/stores/planted.ts", "export const x = Date.now();\n"),
    /noRestrictedGlobals/,
  );
});

/** Members of allowed globals, which the lint rule cannot ban. */
const BANNED_MEMBERS = /\bMath\s*(?:\.\s*random|\[)|\bAbortSignal\s*\.\s*timeout\b|\bimport\.meta\b/;

test("the engine uses no member of a global that brings time or chance", () => {
  const inside = ["src/engine", "src/invocation", "src/parking", "src/schedules", "src/rollouts"].flatMap(
    (folder) => sourceFiles(join(ROOT, folder)),
  );
  const found = inside.filter((file) => {
    return BANNED_MEMBERS.test(readFileSync(file, "utf8"));
  });
  assert.deepEqual(found, []);
  for (const planted of ["Math.random()", "Math['random']()", "AbortSignal.timeout(5)"]) {
    assert.match(planted, BANNED_MEMBERS);
  }
});
