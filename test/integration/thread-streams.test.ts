import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createModuleFunction } from "../../src/functions/module.ts";
import { folderWith } from "../unit/manifests/manifest-samples.ts";

const HANDLER = `
export const handler = awslambda.streamifyResponse(async ({ deed, mark }, stream) => {
  if (deed === "fail and go on") {
    setInterval(() => stream.write("late"), 1);
    await new Promise((resolve) => stream.write("first", resolve));
    throw new TypeError("no price");
  }
  if (deed === "wait") await new Promise((resolve) => stream.write("held", resolve));
  stream.end(deed);
});
`;

function startThread(t: TestContext) {
  const target = createModuleFunction({
    functionName: "orders",
    path: `${folderWith(t, { "index.mjs": HANDLER })}/index.mjs`,
    concurrency: 1,
    onLog: () => {},
  });
  t.after(() => target.close());
  let calls = 0;
  return async (event: object, room?: () => Promise<void>) => {
    calls += 1;
    let text = "";
    const sink = {
      open() {},
      write(chunk: Uint8Array) {
        text += Buffer.from(chunk).toString();
        return room?.();
      },
    };
    const context = {
      requestId: `id-${calls}`,
      functionName: "orders",
      functionArn: "arn",
      deadlineMs: Date.now() + 60_000,
      timeoutMs: 60_000,
    };
    const { signal } = new AbortController();
    const outcome = await target.invoke(Buffer.from(JSON.stringify(event)), context, signal, sink);
    return { outcome, text };
  };
}

test("what a handler in a thread writes behind its failure reaches nobody, and holds up no other call", async (t) => {
  const invoke = startThread(t);
  const failed = await invoke({ deed: "fail and go on" });
  assert.equal(failed.outcome.kind === "functionError" && failed.outcome.errorType, "TypeError");
  assert.match(failed.text, /^first/);
  for (const deed of ["one", "two", "three"]) assert.equal((await invoke({ deed })).text, deed);
});

test("a handler that waits for whoever reads is not taken for one that can never end", async (t) => {
  const invoke = startThread(t);
  const room = () => new Promise<void>((resolve) => setTimeout(resolve, 200));
  const { outcome, text } = await invoke({ deed: "wait" }, room);
  assert.deepEqual([outcome.kind, text], ["succeeded", "heldwait"]);
});
