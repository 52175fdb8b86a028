import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { zipOf } from "../../fixtures/zip.ts";
import { MillraceProcess } from "../cli/millrace-process.ts";

const CODE = `
const wanted = (name) => { try { return require(name); } catch { return "none"; } };
exports.handler = async () => ({ both: wanted("both"), first: wanted("first"), second: wanted("second") });`;

/** A package of Node in a layer. */
const inLayer = (name: string) => `nodejs/node_modules/${name}/index.js`;

interface PackagesRun {
  readonly folder: string;
  readonly process: MillraceProcess;
  invoke(name: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
}

/** Functions of a manifest, each with its fields of code. */
async function startPackages(
  t: TestContext,
  functions: Readonly<Record<string, string>>,
): Promise<PackagesRun> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-packaged-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "code.zip"), zipOf([{ name: "index.js", content: CODE }]));
  writeFileSync(join(folder, "slip.zip"), zipOf([{ name: "../index.js", content: CODE }]));
  const layer = [
    { name: inLayer("both"), content: 'module.exports = "of the second";' },
    { name: inLayer("second"), content: 'module.exports = "there";' },
  ];
  writeFileSync(join(folder, "second.zip"), zipOf(layer));
  for (const [name, text] of [
    ["both", "of the first"],
    ["first", "there"],
  ] as const) {
    const path = join(folder, "first", inLayer(name));
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, `module.exports = ${JSON.stringify(text)};`);
  }
  const manifests = Object.entries(functions).map(
    ([name, fields]) => `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: ${name} }
spec: { runtime: nodejs24.x, handler: index.handler, timeoutSeconds: 20, ${fields} }
`,
  );
  writeFileSync(join(folder, "functions.yaml"), manifests.join("---\n"));
  const words = ["run", "-f", "functions.yaml", "--api", "127.0.0.1:0", "--store", "sqlite:progress.db"];
  const process = new MillraceProcess(t, words, folder);
  const url = await process.apiUrl();
  return {
    folder,
    process,
    async invoke(name) {
      const response = await fetch(`${url}/2015-03-31/functions/${name}/invocations`, { method: "POST" });
      return { status: response.status, body: Object(await response.json()) };
    },
  };
}

test("a manifest's function runs from a zip, with layers of a folder and a zip laid one over the other", async (t) => {
  const run = await startPackages(t, {
    plain: "code: code.zip",
    layered: "code: { path: code.zip }, layers: [first, { path: second.zip }]",
    turned: "code: code.zip, layers: [second.zip, first]",
  });
  const answers = [];
  for (const name of ["plain", "layered", "turned"]) answers.push((await run.invoke(name)).body);
  assert.deepEqual(answers, [
    { both: "none", first: "none", second: "none" },
    { both: "of the second", first: "there", second: "there" },
    { both: "of the first", first: "there", second: "there" },
  ]);
  const packages = readdirSync(join(run.folder, "packages")).filter((name) => /^[0-9a-f]{64}$/.test(name));
  assert.equal(packages.length, 2, "code and layer are extracted once, whoever runs them");
});

test("a hostile zip of a manifest stops its function alone, and is told", async (t) => {
  const run = await startPackages(t, { good: "code: code.zip", bad: "code: slip.zip" });
  assert.equal((await run.invoke("bad")).status, 502);
  assert.equal((await run.invoke("good")).status, 200);
  assert.match(run.process.stderr, /slip\.zip, entry .*its name leads out of the archive's folder/);
});
