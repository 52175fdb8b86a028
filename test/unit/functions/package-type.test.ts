import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadHandler } from "../../../src/functions/module-handler.ts";
import { packageTypeHint } from "../../../src/functions/package-type.ts";

const MODULE = "export const handler = async (event: object) => event;\n";
const COMMONJS = "exports.handler = async (event) => event;\n";

test("an ES module in TypeScript in a package of the type commonjs: the hint names .mts, and that name works", async (t) => {
  const folder = packageOf(t, { type: "commonjs" });
  writeFileSync(join(folder, "orders.ts"), MODULE);
  await assert.rejects(loadHandler(join(folder, "orders.ts"), "handler"), {
    name: "Runtime.UserCodeSyntaxError",
    message: /rename it to orders\.mts, or set "type" to "module"\.$/,
  });
  writeFileSync(join(folder, "orders.mts"), MODULE);
  assert.equal(typeof (await loadHandler(join(folder, "orders.mts"), "handler")), "function");
});

test("TypeScript of which code would have to be made is told so: another ending cures nothing", async (t) => {
  const folder = packageOf(t, { type: "commonjs" });
  writeFileSync(join(folder, "orders.ts"), `enum State { Paid }\n${MODULE}`);
  await assert.rejects(loadHandler(join(folder, "orders.ts"), "handler"), (error: Error) => {
    assert.equal(error.name, "Runtime.UserCodeSyntaxError");
    assert.match(error.message, /write it without enum, namespace and parameter properties/);
    assert.doesNotMatch(error.message, /rename/);
    return true;
  });
});

test("a CommonJS module in a package of the type module: the hint names .cjs", async (t) => {
  const folder = packageOf(t, { type: "module" });
  writeFileSync(join(folder, "orders.js"), COMMONJS);
  await assert.rejects(loadHandler(join(folder, "orders.js"), "handler"), {
    name: "ReferenceError",
    message: /rename it to orders\.cjs/,
  });
});

test("TypeScript runs in packages that state no type, or the right one", async (t) => {
  for (const stated of [{}, { type: "module" }]) {
    const folder = packageOf(t, stated);
    writeFileSync(join(folder, "orders.ts"), MODULE);
    assert.equal(typeof (await loadHandler(join(folder, "orders.ts"), "handler")), "function");
  }
});

test("no hint is given where the package is not the reason", (t) => {
  const folder = packageOf(t, { type: "commonjs" });
  mkdirSync(join(folder, "inner"));
  writeFileSync(join(folder, "inner", "package.json"), "{}");
  writeFileSync(join(folder, "inner", "orders.ts"), MODULE);
  writeFileSync(join(folder, "orders.mts"), MODULE);
  writeFileSync(join(folder, "broken.ts"), "exports.handler = async (event) => ;\n");
  assert.equal(packageTypeHint(join(folder, "inner", "orders.ts")), undefined, "the nearest states none");
  assert.equal(packageTypeHint(join(folder, "orders.mts")), undefined);
  assert.equal(packageTypeHint(join(folder, "broken.ts")), undefined);
  assert.equal(packageTypeHint(join(folder, "none.ts")), undefined);
});

function packageOf(t: TestContext, stated: object): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-package-type-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "package.json"), JSON.stringify(stated));
  return folder;
}
