import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { httpFunction, MillraceProcess, orderFolder, until } from "./millrace-process.ts";

const COMMON = ["--api", "127.0.0.1:0", "--checkpoint-interval-ms", "50"];

test("a SIGHUP with a broken file changes nothing and says which line; with a good one only what changed restarts", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, 10);
  const good = readFileSync(manifest, "utf8");
  const run = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder);
  await run.logged("started");
  await until(
    () => seen.length === 10,
    () => `the function saw ${seen.length} records: ${run.stderr}`,
  );

  writeFileSync(manifest, `${good.trimEnd()}\n  noSuchField: 1\n`);
  run.kill("SIGHUP");
  const refused = await run.logged("the manifests are not valid: nothing was changed");
  const line = good.trimEnd().split("\n").length + 1;
  assert.match(String(refused["error"]), new RegExp(`:${line}:\\d+.*noSuchField`));

  writeFileSync(manifest, `${good.trimEnd()}\n  parallelizationFactor: 2\n`);
  run.kill("SIGHUP");
  await run.logged("manifests read again and applied");
  await run.logged("mapping stopped");
  const restarted = () => run.logs().filter(({ message }) => message === "mapping started").length;
  await until(
    () => restarted() === 2,
    () => `the mapping was started ${restarted()} times: ${run.stderr}`,
  );
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null });
  assert.equal(seen.length, 10, "nothing was repeated");
});

test("several processes read their manifests again when their parent is told to", async (t) => {
  const { url } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, 1);
  const store = `sqlite:${join(folder, "progress.db")}`;
  const run = new MillraceProcess(
    t,
    ["run", "-f", manifest, ...COMMON, "--store", store, "--processes", "2"],
    folder,
  );
  const count = (wanted: string) => run.logs().filter(({ message }) => message === wanted).length;
  await until(
    () => count("started") === 2,
    () => run.stderr,
  );
  run.kill("SIGHUP");
  await until(
    () => count("manifests read again and applied") === 2,
    () => run.stderr,
  );
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null });
});

test("with --watch a changed file is applied without anybody's word", async (t) => {
  const { url } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, 1);
  const run = new MillraceProcess(t, ["run", "-f", manifest, "--watch", ...COMMON], folder);
  await run.logged("started");
  writeFileSync(manifest, `${readFileSync(manifest, "utf8").trimEnd()}\n  parallelizationFactor: 2\n`);
  await run.logged("manifests read again and applied");
  await run.logged("mapping stopped");
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null });
});
