import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ModuleFiles } from "../../../src/cli/module-files.ts";
import type { FunctionResource } from "../../../src/manifests/resources.ts";

test("a function is another when a file that it is made of is: its own, one that it imports, one that is not there yet", (t) => {
  const folder = temporaryFolder(t);
  const [entry, imported, missing] = ["orders.mjs", "price.mjs", "later.mjs"].map((name) =>
    join(folder, name),
  );
  assert(entry !== undefined && imported !== undefined && missing !== undefined);
  writeFileSync(entry, "1");
  writeFileSync(imported, "1");
  const files = new ModuleFiles(true);
  const open = () => {
    const onImport = files.opening(moduleFunction(entry));
    for (const path of [entry, imported, missing]) onImport?.(path);
  };
  for (const path of [entry, imported, missing]) {
    open();
    assert.deepEqual(files.changed(), []);
    assert.equal(files.changes(), "");
    writeFileSync(path, "other");
    assert.deepEqual(files.changed(), ["orders"], path);
    assert.notEqual(files.changes(), "");
  }
  open();
  assert.deepEqual(files.changed(), [], "it was opened anew since");
  assert.deepEqual([...files.folders()], [folder]);
});

test("versions of a function are made of files of their own, and one that opens anew forgets no other's", (t) => {
  const folder = temporaryFolder(t);
  const [first, second, shared] = ["1.mjs", "2.mjs", "shared.mjs"].map((name) => join(folder, name));
  assert(first !== undefined && second !== undefined && shared !== undefined);
  const files = new ModuleFiles(true);
  const onImport = files.opening(moduleFunction(first));
  files.opening(moduleFunction(second));
  onImport?.(shared);
  for (const path of [first, second, shared]) {
    writeFileSync(path, "1");
    assert.deepEqual(files.changed(), ["orders"], path);
    files.opening(moduleFunction(first))?.(shared);
    files.opening(moduleFunction(second));
    assert.deepEqual(files.changed(), []);
  }
});

test("installed packages are not looked at, and without a watch only a function's own file is", (t) => {
  const folder = temporaryFolder(t);
  const entry = join(folder, "orders.mjs");
  const installed = join(folder, "node_modules", "price");
  mkdirSync(installed, { recursive: true });
  const watching = new ModuleFiles(true);
  watching.opening(moduleFunction(entry))?.(join(installed, "index.js"));
  writeFileSync(join(installed, "index.js"), "1");
  assert.deepEqual(watching.changed(), []);
  const plain = new ModuleFiles(false);
  assert.equal(plain.opening(moduleFunction(entry)), undefined);
  writeFileSync(entry, "1");
  assert.deepEqual(plain.changed(), ["orders"]);
});

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-module-files-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function moduleFunction(path: string): FunctionResource {
  return {
    name: "orders",
    target: {
      kind: "module",
      path,
      exportName: "handler",
      environment: {},
      inheritEnvironment: [],
      credentials: "none",
      memoryMb: 512,
    },
    versions: new Map(),
    aliases: new Map(),
    timeoutMs: 3_000,
    concurrency: 1,
    isReserved: false,
    isConcurrencyAdaptive: false,
    errorDetails: "full",
  };
}
