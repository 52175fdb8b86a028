import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { httpFunction, MillraceProcess, orderFolder, until } from "./millrace-process.ts";

const COMMON = ["--api", "127.0.0.1:0", "--checkpoint-interval-ms", "50"];
const SOURCES = new URL("../../../src/", import.meta.url);

test("lets invocations that run at a SIGINT end, and repeats nothing of them", async (t) => {
  const release: (() => void)[] = [];
  const { url, seen } = await httpFunction(t, (_event, response) => release.push(() => response.end()));
  const { folder, manifest } = orderFolder(t, url, 10);
  const first = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder);
  await until(
    () => seen.length === 10,
    () => `the function saw ${seen.length} records: ${first.stderr}`,
  );
  first.kill("SIGINT");
  assert.equal((await first.logged("stopping"))["reason"], "SIGINT");
  for (const answer of release) answer();
  assert.deepEqual(await first.ended, { status: 0, signal: null });

  const second = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON, "--until-caught-up"], folder);
  assert.deepEqual(await second.ended, { status: 0, signal: null });
  assert.equal(seen.length, 10);
});

test("a second SIGINT ends it at once with status 130", async (t) => {
  const { url, seen } = await httpFunction(t, () => undefined);
  const { folder, manifest } = orderFolder(t, url, 1);
  const run = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder);
  await until(
    () => seen.length === 1,
    () => `the function was not invoked: ${run.stderr}`,
  );
  run.kill("SIGINT");
  await run.logged("stopping");
  run.kill("SIGINT");
  assert.deepEqual(await run.ended, { status: 130, signal: null });
});

test("several processes drain when their parent is interrupted", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, 10);
  const store = `sqlite:${join(folder, "progress.db")}`;
  const run = new MillraceProcess(
    t,
    ["run", "-f", manifest, ...COMMON, "--store", store, "--processes", "2"],
    folder,
  );
  await until(
    () => seen.length === 10,
    () => `the function saw ${seen.length} records: ${run.stderr}`,
  );
  run.kill("SIGINT");
  assert.deepEqual(await run.ended, { status: 0, signal: null });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`a ${signal} that comes while the program is still being loaded has it stop as later ones do`, async (t) => {
    const { url } = await httpFunction(t, (_event, response) => response.end());
    const { folder, manifest } = orderFolder(t, url, 1);
    const hook = `import { registerHooks } from "node:module";
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier.endsWith("/main.ts")) process.kill(process.pid, "${signal}");
          return next(specifier, context);
        },
      });`;
    const run = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder, {
      nodeFlags: ["--import", `data:text/javascript,${encodeURIComponent(hook)}`],
    });
    assert.deepEqual(await run.ended, { status: 0, signal: null });
    assert.equal((await run.logged("stopping"))["reason"], signal);
  });
}

test("an old Node is told which one is needed, before anything is loaded that it does not understand", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-old-node-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const name of ["bin", "system/node-version", "system/stop-signals", "system/young-generation"]) {
    const text = stripTypeScriptTypes(readFileSync(new URL(`${name}.ts`, SOURCES), "utf8"));
    writeFileSync(
      join(folder, `${name.split("/").at(-1)}.js`),
      text.replaceAll(/"\.\/(?:system\/)?([\w-]+)\.ts"/g, '"./$1.js"'),
    );
  }
  writeFileSync(join(folder, "main.js"), "this is no JavaScript that an old Node understands");
  const asOld = 'Object.defineProperty(process.versions, "node", { value: "20.20.2" })';
  for (const words of [[], ["run", "-f", "x"], ["--version"]]) {
    const run = new MillraceProcess(t, words, folder, {
      main: join(folder, "bin.js"),
      nodeFlags: ["--import", `data:text/javascript,${encodeURIComponent(asOld)}`],
    });
    assert.deepEqual(await run.ended, { status: 2, signal: null });
    assert.match(run.stderr, /^millrace: Node 24 or newer is needed, and this is Node 20\.20\.2\. .*\n$/);
  }
});
