import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { MillraceProcess, until } from "./cli/millrace-process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What no clone has. */
const LOCAL = new Set(["node_modules", "dist", ".git", ".cache", ".data", ".millrace", "coverage"]);

test("what is packed in a clean clone is the program, and runs in an empty folder that it is installed into", async (t) => {
  const folder = temporaryFolder(t);
  const clone = cleanClone(folder);

  const plain = spawnSync("npm", ["pack"], { cwd: clone, encoding: "utf8" });
  assert.notEqual(plain.status, 0, "a plain npm pack would pack no program");
  assert.match(plain.stderr, /npm run package/);
  assert.deepEqual(packed(clone), []);

  run("npm", ["run", "-s", "package"], clone);
  const [name = "none", ...others] = packed(clone);
  assert.deepEqual(others, []);
  const paths = run("tar", ["-tzf", name], clone).trim().split("\n");
  assert(paths.includes("package/dist/src/functions/module-worker.js"), "loaded by its path, not imported");
  const allowed =
    /^package\/(dist\/(src|connectors)\/.*(?<!\.map)|docs\/schema\/.*|package\.json|[A-Z]+(\.md)?)$/;
  assert.deepEqual(
    paths.filter((path) => !allowed.test(path)),
    [],
  );

  const home = join(folder, "home");
  mkdirSync(home);
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", join(clone, name)], home);
  const manifest = JSON.parse(readFileSync(join(home, "node_modules/millrace/package.json"), "utf8"));
  assert.deepEqual(
    ["private", "scripts", "devDependencies", "workspaces"].filter((member) => member in manifest),
    [],
    "what is of a checkout alone stays there",
  );
  assert.ok(manifest.repository && manifest.keywords);
  assert.ok(!existsSync(join(home, "node_modules/@millrace")), "users bring their own Node");
  await runsOnASentRecord(t, home);
});

test("a package without its program is refused", (t) => {
  const clone = cleanClone(temporaryFolder(t));
  const forgetful = 'import { mkdirSync } from "node:fs";\nmkdirSync("dist/src", { recursive: true });\n';
  writeFileSync(join(clone, "scripts/build.ts"), forgetful);
  const { status, stderr } = spawnSync("npm", ["run", "-s", "package"], { cwd: clone, encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /The package is refused: .*dist\/\S+\.js is not in it/);
  assert.deepEqual(packed(clone), []);
});

async function runsOnASentRecord(t: TestContext, home: string): Promise<void> {
  const main = join(home, "node_modules/millrace/dist/src/bin.js");
  const dev = new MillraceProcess(t, ["dev", "--api", "127.0.0.1:0"], home, { main, env: { TMPDIR: home } });
  const command = () => /^ {2}send {2}(curl .*)$/m.exec(dev.stdout)?.[1];
  await until(
    () => command() !== undefined,
    () => dev.stdout + dev.stderr,
  );
  run("sh", ["-c", `${command()} --silent --show-error --fail`], home);
  await dev.printed(/^\[orders\] order 1 of ada: 30$/m);
  dev.kill("SIGINT");
  assert.deepEqual(await dev.ended, { status: 0, signal: null });
}

/** The files of this checkout, and what `npm ci` would bring. */
function cleanClone(folder: string): string {
  const clone = join(folder, "clone");
  const filter = (path: string) => !LOCAL.has(basename(path)) && !path.endsWith(".tgz");
  for (const name of readdirSync(ROOT).filter(filter)) {
    cpSync(join(ROOT, name), join(clone, name), { recursive: true, filter });
  }
  symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
  return clone;
}

function packed(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".tgz"));
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-package-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error !== undefined) throw error;
  assert.equal(status, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}
