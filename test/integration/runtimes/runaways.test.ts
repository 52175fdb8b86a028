import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { CODE, isAlive, startFunctions } from "./runtime-run.ts";

const RUN_MS_MAX = 300_000;
const SPEC = `runtime: nodejs24.x, handler: index.handler, code: "${join(CODE, "runaway")}"`;
const isLinux = process.platform === "linux";

test("what an environment leaves behind is ended with it, also children with a session of their own", {
  timeout: RUN_MS_MAX,
  skip: !isLinux,
}, async (t) => {
  const { invoke, run, left } = await startFunctions(t, { runaway: `${SPEC}, timeoutSeconds: 60` });
  const pids: number[] = (await invoke("runaway", { deed: "leave" })).body;
  assert.equal(pids.length, 3);
  assert.deepEqual(pids.filter(isAlive), pids);
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
  assert.deepEqual(pids.filter(isAlive), []);
  assert.deepEqual(left(), []);
});

test("a millrace that is killed leaves no process of a function", { timeout: RUN_MS_MAX }, async (t) => {
  const { invoke, run } = await startFunctions(t, { runaway: `${SPEC}, timeoutSeconds: 60` });
  const pid: number = (await invoke("runaway", { deed: "tell" })).body;
  assert.ok(isAlive(pid));
  run.kill("SIGKILL");
  await run.exited;
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
});

test("who takes more memory than it may is ended and told so, and the next call goes on", {
  timeout: RUN_MS_MAX,
  skip: !isLinux,
}, async (t) => {
  const { invoke } = await startFunctions(t, { runaway: `${SPEC}, timeoutSeconds: 60, memoryMb: 128` });
  const { body, error } = await invoke("runaway", { deed: "eat" });
  assert.equal(error, "Unhandled");
  assert.equal(body.errorType, "Runtime.OutOfMemory");
  assert.equal((await invoke("runaway", { deed: "tell" })).error, undefined);
});

test("who starts more processes than an environment may have is ended with all of them, and others go on", {
  timeout: RUN_MS_MAX,
  skip: !isLinux,
}, async (t) => {
  const { invoke, run, left } = await startFunctions(t, {
    runaway: `${SPEC}, timeoutSeconds: 120`,
    neighbour: `${SPEC}, timeoutSeconds: 60`,
  });
  const pid: number = (await invoke("neighbour", { deed: "tell" })).body;
  const multiplied = invoke("runaway", { deed: "multiply" });
  assert.equal((await invoke("neighbour", { deed: "tell" })).body, pid);
  const { body, error } = await multiplied;
  assert.equal(error, "Unhandled");
  assert.equal(body.errorType, "Runtime.OutOfMemory");
  assert.equal((await invoke("runaway", { deed: "tell" })).error, undefined);
  assert.equal((await invoke("neighbour", { deed: "tell" })).body, pid);
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
  assert.deepEqual(left(), []);
});

test("who prints without end is read, kept to a bound, and answers", { timeout: RUN_MS_MAX }, async (t) => {
  const { invoke, run } = await startFunctions(t, { runaway: `${SPEC}, timeoutSeconds: 60` });
  const { body, log } = await invoke("runaway", { deed: "shout" });
  assert.equal(body, "shouted");
  assert.ok(Buffer.byteLength(log) <= 4096);
  assert.ok(run.stderr.length + run.stdout.length < 3 * 1024 * 1024);
});
