import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { createDirectoryStore } from "../../../src/packages/directory-store.ts";
import { createPackageFolders } from "../../../src/packages/package-folders.ts";
import type { PackageFolders } from "../../../src/ports/package-folders.ts";
import { type PackageStore, UNNEEDED_MS } from "../../../src/ports/package-store.ts";
import { LINK, type ZipEntry, zipOf } from "../../fixtures/zip.ts";

const CODE: readonly ZipEntry[] = [
  { name: "index.js", content: "exports.handler = async () => 1;" },
  { name: "bin/run.sh", content: "#!/bin/sh\n", mode: 0o106_700 },
  { name: "bin/link", content: "run.sh", mode: LINK },
  { name: "secret.txt", content: "x", mode: 0o100_600 },
];
const NONE: ReadonlySet<string> = new Set();

let root: string;
let store: PackageStore;
let folders: PackageFolders;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "millrace-folders-"));
  store = createDirectoryStore(join(root, "archives"));
  folders = createPackageFolders(join(root, "packages"), store);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o7777;

test("a package becomes a folder whose files have no more rights than code needs", async () => {
  const { sha256 } = await store.put(zipOf(CODE));
  const { folder } = await folders.open({ sha256 });
  assert.equal(folder, join(root, "packages", sha256));
  assert.deepEqual(readdirSync(folder).sort(), ["bin", "index.js", "secret.txt"]);
  assert.equal(readFileSync(join(folder, "index.js"), "utf8"), "exports.handler = async () => 1;");
  assert.equal(modeOf(join(folder, "index.js")), 0o644);
  assert.equal(modeOf(join(folder, "bin/run.sh")), 0o755, "it may be run, and is nobody's but its owner's");
  assert.equal(modeOf(join(folder, "secret.txt")), 0o644);
  assert.equal(readlinkSync(join(folder, "bin/link")), "run.sh");
  assert.deepEqual(readdirSync(join(root, "packages")), [sha256], "nothing unfinished is left");
});

test("a zip of this host is extracted once, however many ask and in whatever process", async () => {
  const path = join(root, "orders.zip");
  await writeFile(path, zipOf(CODE));
  const others = createPackageFolders(join(root, "packages"), store);
  const opened = await Promise.all([folders.open({ path }), folders.open({ path }), others.open({ path })]);
  assert.equal(new Set(opened.map(({ folder }) => folder)).size, 1);
  const inode = statSync(opened[0].folder).ino;
  const again = await createPackageFolders(join(root, "packages"), store).open({ path });
  assert.equal(statSync(again.folder).ino, inode, "it is not made anew");
  assert.equal(readdirSync(join(root, "packages")).length, 1);
});

test("a folder of the user's is run where it is", async () => {
  const path = join(root, "orders");
  await mkdir(path);
  const { folder, sha256 } = await folders.open({ path });
  assert.deepEqual({ folder, sha256 }, { folder: path, sha256: undefined });
});

test("a hostile archive leaves nothing behind", async () => {
  const { sha256 } = await store.put(zipOf([...CODE, { name: "x.js", content: "x", saidCrc: 7 }]));
  await assert.rejects(folders.open({ sha256 }), { code: "ERR_MILLRACE_PACKAGE" });
  assert.deepEqual(readdirSync(join(root, "packages")), []);
  const slip = await store.put(zipOf([...CODE, { name: "../slip.js", content: "x" }]));
  await assert.rejects(folders.open(slip), /leads out of the archive's folder/);
  assert.deepEqual(readdirSync(root).sort(), ["archives", "packages"]);
});

test("a package that nobody put, and a path where nothing is, are told", async () => {
  await assert.rejects(folders.open({ sha256: "0".repeat(64) }), {
    code: "ERR_MILLRACE_PACKAGE",
    message: /not in the store of packages\. Put the code again, by UpdateFunctionCode/,
  });
  await assert.rejects(folders.open({ path: join(root, "nowhere.zip") }), {
    code: "ERR_MILLRACE_PACKAGE",
    message: /nowhere\.zip: it cannot be read/,
  });
});

test("a folder goes a day after its last need, and never under one who holds it", async () => {
  const { sha256 } = await store.put(zipOf(CODE));
  const held = await folders.open({ sha256 });
  const twice = await folders.open({ sha256 });
  await folders.sweep(NONE, 0);
  assert.deepEqual(await folders.sweep(NONE, 2 * UNNEEDED_MS), [], "it is held");
  held.release();
  held.release();
  await folders.sweep(NONE, 3 * UNNEEDED_MS);
  assert.deepEqual(await folders.sweep(NONE, 5 * UNNEEDED_MS), [], "one of two holders is left");
  twice.release();
  assert.deepEqual(await folders.sweep(NONE, 6 * UNNEEDED_MS), []);
  assert.deepEqual(await folders.sweep(new Set([sha256]), 8 * UNNEEDED_MS), [], "it is declared");
  assert.deepEqual(await folders.sweep(NONE, 9 * UNNEEDED_MS), []);
  assert.deepEqual(await folders.sweep(NONE, 10 * UNNEEDED_MS), [sha256]);
  assert.deepEqual(readdirSync(join(root, "packages")), []);
});

test("what a process left that ended while it extracted is removed a day later", async () => {
  const left = join(root, "packages", ".new-left");
  await mkdir(join(left, "deep"), { recursive: true });
  utimesSync(left, 1000, 1000);
  await folders.sweep(NONE, 1_000_000 + UNNEEDED_MS - 1);
  assert.deepEqual(readdirSync(join(root, "packages")), [".new-left"]);
  await folders.sweep(NONE, 1_000_000 + UNNEEDED_MS);
  assert.deepEqual(readdirSync(join(root, "packages")), []);
});
