import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createModuleFunction } from "../../../src/functions/module.ts";
import { openModuleProcess } from "../../../src/functions/runtime/open-module.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { FunctionTarget } from "../../../src/ports/function-target.ts";

const MODULE = `
export async function handle(event) {
  if (event.task === "crash") process.abort();
  return { pid: process.pid, form: process.env._HANDLER };
}
export const notOne = 1;
`;

function writeModule(t: TestContext, text = MODULE): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-module-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "price.v2.mjs");
  writeFileSync(path, text);
  return path;
}

async function openModule(t: TestContext, path: string, exportName = "handle"): Promise<FunctionTarget> {
  const target = await openModuleProcess({
    ...{ functionName: "price", path, exportName, concurrency: 1, memoryMb: 512, environment: {} },
    log: { line: () => {} },
  });
  t.after(() => target.close());
  return target;
}

async function call(target: FunctionTarget, event: object): Promise<InvocationOutcome> {
  const timeoutMs = 60_000;
  const context = {
    ...{ requestId: crypto.randomUUID(), functionName: "price", timeoutMs },
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:price",
    deadlineMs: Date.now() + timeoutMs,
  };
  return await target.invoke(Buffer.from(JSON.stringify(event)), context, new AbortController().signal);
}

function told(outcome: InvocationOutcome): { readonly pid: number; readonly form: string } {
  assert.ok(outcome.kind === "succeeded", JSON.stringify(outcome));
  return JSON.parse(Buffer.from(outcome.payload).toString());
}

test("a crash of native code costs one environment, and the next call has another", async (t) => {
  const target = await openModule(t, writeModule(t));
  const first = told(await call(target, {}));
  assert.notEqual(first.pid, process.pid);
  assert.equal(first.form, "price.v2.handle");
  const crashed = await call(target, { task: "crash" });
  assert.ok(crashed.kind === "functionError");
  assert.equal(crashed.errorType, "Runtime.ExitError");
  assert.notEqual(told(await call(target, {})).pid, first.pid);
});

test("a module in a thread is of this process", async (t) => {
  const path = writeModule(t);
  const target = createModuleFunction({ functionName: "price", path, exportName: "handle", concurrency: 1 });
  t.after(() => target.close());
  assert.equal(told(await call(target, {})).pid, process.pid);
});

test("a module that cannot be loaded, or has no such handler, is not opened, and says why", async (t) => {
  const broken = writeModule(t, "throw new RangeError('broken at its start');");
  await assert.rejects(openModule(t, broken), {
    message: `function price cannot be started from ${broken}: RangeError: The module failed while it was loaded: broken at its start`,
  });
  const whole = writeModule(t);
  await assert.rejects(
    openModule(t, whole, "notOne"),
    /Runtime\.HandlerNotFound: .* exports something else: number/,
  );
  const crashing = writeModule(t, "process.abort();");
  await assert.rejects(openModule(t, crashing), /Runtime\.ExitError: .*signal: aborted/);
});
