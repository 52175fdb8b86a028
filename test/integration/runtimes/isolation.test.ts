import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type IsolationWish, isolationOf } from "../../../src/functions/runtime/isolation.ts";
import { createRuntimeFunction } from "../../../src/functions/runtime/runtime-function.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import { EnvironmentSeries } from "../../../src/telemetry/environment-series.ts";
import { isAlive } from "./runtime-run.ts";

const TIMEOUT_MS = 60_000;
const CODE = `
import { spawn } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
export async function handler({ deed, megabytes }) {
  const place = tmpdir();
  if (deed === "leave") {
    const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore", env: {} });
    child.unref();
    return { child: child.pid };
  }
  if (deed === "fill memory") for (const held = []; ; ) held.push(Buffer.alloc(8 * 1024 * 1024, held.length));
  if (deed === "fill folder") {
    writeFileSync(join(place, "kept"), Buffer.alloc(megabytes * 1024 * 1024));
    await new Promise((resolve) => setTimeout(resolve, 1_000_000_000));
  }
  return { pid: process.pid, folder: place, files: readdirSync(place), wrapped: process.env.WRAPPED ?? null };
}
`;

async function startFunction(t: TestContext, isolation: IsolationWish) {
  const series = new EnvironmentSeries("apart");
  const folder = mkdtempSync(join(tmpdir(), "millrace-isolation-"));
  writeFileSync(join(folder, "index.mjs"), CODE);
  const target = await createRuntimeFunction({
    functionName: "apart",
    runtime: "nodejs24.x",
    handler: "index.handler",
    command: undefined,
    codeFolder: folder,
    layerFolders: [],
    memoryMb: 256,
    concurrency: 1,
    isolation,
    ephemeralStorageMb: 8,
    log: { line: () => undefined },
    watch: series,
  });
  t.after(async () => {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let calls = 0;
  const invoke = (event: object): Promise<InvocationOutcome> => {
    calls += 1;
    const requestId = `id-${calls}`;
    const names = {
      functionName: "apart",
      functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:apart",
    };
    const context = { requestId, ...names, deadlineMs: Date.now() + TIMEOUT_MS, timeoutMs: TIMEOUT_MS };
    return target.invoke(Buffer.from(JSON.stringify(event)), context, new AbortController().signal);
  };
  return { target, invoke, series };
}

// biome-ignore lint/suspicious/noExplicitAny: what a function says has no type
function resultOf(outcome: InvocationOutcome): any {
  assert.ok(outcome.kind === "succeeded", JSON.stringify(outcome));
  return JSON.parse(Buffer.from(outcome.payload).toString());
}

/** What this machine has; none: the recorded trees of `cgroup.test.ts` alone prove it. */
const cgroups = isolationOf("auto", "apart").level === "cgroup";

test("in a control group more memory than it may have ends its process, and its call is told", {
  skip: !cgroups,
}, async (t) => {
  const { invoke } = await startFunction(t, "cgroup");
  const { pid } = resultOf(await invoke({}));
  assert.match(readFileSync(`/proc/${pid}/cgroup`, "utf8"), new RegExp(`/millrace-${process.pid}-\\d+\\n`));
  const outcome = await invoke({ deed: "fill memory" });
  assert.ok(outcome.kind === "functionError", outcome.kind);
  assert.equal(outcome.errorType, "Runtime.OutOfMemory");
  assert.notEqual(resultOf(await invoke({})).pid, pid);
});

test("nothing gets out of a control group, and the group goes with its process", {
  skip: !cgroups,
}, async (t) => {
  const { target, invoke } = await startFunction(t, "cgroup");
  const { child } = resultOf(await invoke({ deed: "leave" }));
  const lines = readFileSync(`/proc/${child}/cgroup`, "utf8");
  const name = new RegExp(`/(millrace-${process.pid}-\\d+)\\n`).exec(lines)?.[1] ?? "";
  assert.notEqual(name, "");
  assert.equal(isAlive(child), true);
  await target.close();
  assert.equal(isAlive(child), false);
  assert.equal(existsSync(join("/sys/fs/cgroup/pids", name)), false);
});

test("more than may stand in its folder ends a process, and the next finds the folder empty", async (t) => {
  const { invoke } = await startFunction(t, "group");
  const outcome = await invoke({ deed: "fill folder", megabytes: 9 });
  assert.ok(outcome.kind === "functionError", outcome.kind);
  assert.equal(outcome.errorType, "Runtime.OutOfStorage");
  assert.match(outcome.message, /more than 8 MB/);
  assert.deepEqual(resultOf(await invoke({})).files, []);
});

test("the operator's command starts the process apart", async (t) => {
  process.env["MILLRACE_ISOLATION_WRAPPER"] = "env WRAPPED={tmp} {command}";
  t.after(() => delete process.env["MILLRACE_ISOLATION_WRAPPER"]);
  const { invoke } = await startFunction(t, "wrapper");
  const { wrapped, folder } = resultOf(await invoke({}));
  assert.equal(wrapped, folder);
});

test("what separates it is told while it is open, and whether its folder has a wall", async (t) => {
  const { series, target } = await startFunction(t, "group");
  assert.deepEqual(series.figures().separations, [{ isolation: "group", storage: "watched" }]);
  await target.close();
  assert.deepEqual(series.figures().separations, []);
  process.env["MILLRACE_ISOLATION_WRAPPER"] = "env WRAPPED={storageBytes} {command}";
  t.after(() => delete process.env["MILLRACE_ISOLATION_WRAPPER"]);
  const { invoke, series: wrapped } = await startFunction(t, "wrapper");
  assert.equal(resultOf(await invoke({})).wrapped, String(8 * 1024 * 1024));
  assert.deepEqual(wrapped.figures().separations, [{ isolation: "wrapper env", storage: "hard" }]);
});

test("a level that is not here is refused by name", () => {
  assert.throws(() => isolationOf("wrapper", "apart", {}), /apart wants the isolation wrapper/);
});
