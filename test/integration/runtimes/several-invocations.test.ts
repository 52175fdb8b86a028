import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createRuntimeFunction } from "../../../src/functions/runtime/runtime-function.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";

const AMPLE_MS = 60_000;
const CODE = `
import { existsSync, writeFileSync } from "node:fs";
let calls = 0;
export async function handler({ told, after, exit }) {
  calls += 1;
  if (told !== undefined) writeFileSync(told, "");
  while (after !== undefined && !existsSync(after)) await new Promise((resolve) => setTimeout(resolve, 5));
  if (exit) process.exit(7);
  return { pid: process.pid, calls, most: process.env.AWS_LAMBDA_MAX_CONCURRENCY };
}
`;

async function startFunction(t: TestContext, invocationsPerEnvironment: number) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-several-"));
  writeFileSync(join(folder, "index.mjs"), CODE);
  const target = await createRuntimeFunction({
    functionName: "several",
    runtime: "nodejs24.x",
    handler: "index.handler",
    command: undefined,
    codeFolder: folder,
    layerFolders: [],
    memoryMb: 256,
    concurrency: 10,
    scaling: { environmentsMax: 1, invocationsPerEnvironment },
    log: { line: () => undefined },
  });
  t.after(async () => {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let calls = 0;
  const invoke = (event: object, timeoutMs = AMPLE_MS): Promise<InvocationOutcome> => {
    calls += 1;
    const context = {
      requestId: `id-${calls}`,
      functionName: "several",
      functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:several",
      deadlineMs: Date.now() + timeoutMs,
      timeoutMs,
    };
    return target.invoke(Buffer.from(JSON.stringify(event)), context, new AbortController().signal);
  };
  return { invoke, place: (name: string) => join(folder, name) };
}

function resultOf(outcome: InvocationOutcome): { pid: number; calls: number; most: string } {
  assert.ok(outcome.kind === "succeeded", JSON.stringify(outcome));
  return JSON.parse(Buffer.from(outcome.payload).toString());
}

test("an environment takes as many calls at once as it may, in one process, and tells its client", async (t) => {
  const { invoke, place } = await startFunction(t, 3);
  const [one, two] = [invoke({ told: place("one"), after: place("two") }), invoke({ after: place("one") })];
  const three = invoke({ told: place("two"), after: place("one") });
  const results = (await Promise.all([one, two, three])).map(resultOf);
  assert.equal(new Set(results.map(({ pid }) => pid)).size, 1);
  assert.deepEqual(
    results.map(({ most }) => most),
    ["3", "3", "3"],
  );
});

test("a time-out of one call leaves its neighbour to its end, and the next has another process", async (t) => {
  const { invoke, place } = await startFunction(t, 2);
  const neighbour = invoke({ told: place("begun"), after: place("end") });
  const late = await invoke({ after: place("never") }, 2_000);
  assert.equal(late.kind, "timedOut");
  writeFileSync(place("end"), "");
  const { pid } = resultOf(await neighbour);
  const next = resultOf(await invoke({}));
  assert.notEqual(next.pid, pid);
  assert.equal(next.calls, 1);
});

test("an exit fails all calls of the environment", async (t) => {
  const { invoke, place } = await startFunction(t, 2);
  const neighbour = invoke({ told: place("begun"), after: place("never") });
  const outcomes = await Promise.all([neighbour, invoke({ after: place("begun"), exit: true })]);
  for (const outcome of outcomes) {
    assert.ok(outcome.kind === "functionError", outcome.kind);
    assert.equal(outcome.errorType, "Runtime.ExitError");
  }
  assert.equal(resultOf(await invoke({})).calls, 1);
});
