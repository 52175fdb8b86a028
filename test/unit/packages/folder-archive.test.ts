import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { archiveOf } from "../../../src/packages/folder-archive.ts";
import { openPackages } from "../../../src/packages/open-packages.ts";
import { planZip } from "../../../src/packages/zip.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "millrace-archive-"));
  mkdirSync(join(root, "code/lib"), { recursive: true });
  writeFileSync(join(root, "code/index.js"), "exports.handler = async () => 1;");
  writeFileSync(join(root, "code/lib/ü.js"), "");
  writeFileSync(join(root, "code/run.sh"), "#!/bin/sh\n");
  chmodSync(join(root, "code/run.sh"), 0o755);
  symlinkSync("index.js", join(root, "code/main.js"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a folder becomes a zip that holds its files, links and rights, and is read back as they are", async () => {
  const plan = await planZip("code", await archiveOf(join(root, "code")));
  assert.deepEqual(
    plan.files.map(({ path, isExecutable }) => [path, isExecutable]),
    [
      ["index.js", false],
      ["lib/ü.js", false],
      ["run.sh", true],
    ],
  );
  assert.deepEqual(
    plan.links.map(({ path, target }) => [path, target]),
    [["main.js", "index.js"]],
  );
  const parts: Uint8Array[] = [];
  for await (const chunk of plan.files[0]?.chunks() ?? []) parts.push(chunk);
  assert.equal(Buffer.concat(parts).toString(), "exports.handler = async () => 1;");
});

test("the same files make the same package, whenever they were written; other files make another", async () => {
  const packages = await openPackages({
    packages: undefined,
    store: { kind: "sqlite", path: join(root, "state.db") },
  });
  const keep = async () => (await packages.keep?.(join(root, "code")))?.sha256;
  const first = await keep();
  utimesSync(join(root, "code/index.js"), 1, 1);
  mkdirSync(join(root, "code/.git"));
  writeFileSync(join(root, "code/.git/HEAD"), "x");
  assert.equal(await keep(), first);
  writeFileSync(join(root, "code/index.js"), "exports.handler = async () => 2;");
  assert.notEqual(await keep(), first);
  const opened = await packages.folders.open({ sha256: first ?? "" });
  assert.ok(opened.folder.startsWith(root), "what was kept before still runs");
  opened.release();
  await packages.close();
});

test("hosts that share no place for packages keep none, and an upload that is off keeps no manifest from it", async () => {
  const shared = await openPackages({ packages: undefined, store: { kind: "postgres" } });
  assert.equal(shared.keep, undefined);
  const off = await openPackages({ packages: "off", store: { kind: "sqlite", path: join(root, "s.db") } });
  assert.equal(off.store, undefined);
  assert.equal((await off.keep?.(join(root, "code")))?.sha256.length, 64);
});
