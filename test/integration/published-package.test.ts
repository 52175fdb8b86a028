import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MillraceProcess, orderFolder } from "./cli/millrace-process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  if (error !== undefined) throw error;
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

test("what is built and published is the program, and none of what a checkout needs", async (t) => {
  run(process.execPath, ["scripts/build.ts"]);

  const [packed] = JSON.parse(run("npm", ["pack", "--dry-run", "--json", "--loglevel=error"]));
  const paths: string[] = packed.files.map(({ path }: { path: string }) => path);
  assert(paths.includes("dist/src/bin.js"));
  assert(paths.includes("dist/src/functions/module-worker.js"), "loaded by its path, not imported");
  assert(paths.includes("docs/schema/manifest.schema.json"));
  const allowed = /^(dist\/(src|connectors)\/.*|docs\/schema\/.*|package\.json|[A-Z]+(\.md)?)$/;
  assert.deepEqual(
    paths.filter((path) => !allowed.test(path)),
    [],
  );
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const installed = Object.keys({ ...dependencies, ...optionalDependencies });
  assert.deepEqual(
    installed.filter((name) => /^(node|node-.*|@millrace\/.*)$/.test(name)),
    [],
    "users bring their own Node",
  );

  const { folder, manifest } = orderFolder(t, "http://127.0.0.1:9/", 3);
  writeFileSync(
    join(folder, "fn.mjs"),
    'export const handler = async ({ Records }) => console.log("got", Records.length);',
  );
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/http: \{.*?\}/, "module: { path: fn.mjs }"));
  const args = ["run", "-f", manifest, "--api", "off", "--store", "memory:", "--log-level", "error"];
  const built = new MillraceProcess(t, args, folder, { main: join(ROOT, "dist/src/bin.js") });
  await built.printed(/^\[orders\] .*got \d/m);
  built.kill("SIGTERM");
  assert.deepEqual(await built.ended, { status: 0, signal: null });
});
