import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { attach } from "../../src/functions/attach/attach.ts";
import { createHttpFunction } from "../../src/functions/http.ts";
import type { InvocationOutcome } from "../../src/model/outcome.ts";
import { createSystemClock } from "../../src/system/clock.ts";
import { Container, untilReady } from "../contract/attached-pods.ts";
import { folderWith } from "../unit/manifests/manifest-samples.ts";

const HANDLER = `
let calls = 0;
export const handler = async ({ deed }) => {
  calls += 1;
  if (deed === "throw") throw new TypeError("no price");
  if (deed === "exit") process.exit(3);
  if (deed === "hang") await new Promise(() => setInterval(() => {}, 1_000));
  return { pid: process.pid, calls };
};
`;
const LOCAL = { host: "127.0.0.1", port: 0 };

async function attached(t: TestContext) {
  const clock = createSystemClock();
  const sidecar = await attach({ runtime: LOCAL, serve: LOCAL, health: LOCAL, clock });
  const container = new Container(sidecar.runtimeAddress, folderWith(t, { "index.mjs": HANDLER }));
  const target = createHttpFunction({ url: sidecar.url, clock });
  t.after(async () => {
    container.stop();
    await target.close();
    await sidecar.close();
  });
  const invoke = async (deed: string, timeoutMs = 60_000): Promise<InvocationOutcome> =>
    await target.invoke(
      Buffer.from(JSON.stringify({ deed })),
      {
        requestId: crypto.randomUUID(),
        functionName: "orders",
        functionArn: "arn",
        deadlineMs: Date.now() + timeoutMs,
        timeoutMs,
      },
      new AbortController().signal,
    );
  const ready = () => untilReady(sidecar);
  return { sidecar, container, invoke, ready };
}

function answerOf(outcome: InvocationOutcome): { readonly pid: number; readonly calls: number } {
  assert.equal(outcome.kind, "succeeded", JSON.stringify(outcome));
  return JSON.parse(Buffer.from(outcome.payload).toString());
}

test("a function's process that somebody else runs is called over HTTP, and keeps what is global", async (t) => {
  const { container, invoke, ready } = await attached(t);
  assert.equal((await invoke("any")).kind, "unavailable", "no process asks for an event: nothing has run");
  container.start();
  await ready();
  const first = answerOf(await invoke("any"));
  assert.deepEqual(answerOf(await invoke("any")), { pid: first.pid, calls: 2 });
  const failed = await invoke("throw");
  assert.equal(failed.kind === "functionError" && failed.errorType, "TypeError");
  assert.equal(failed.kind === "functionError" && failed.message, "no price");
  assert.deepEqual(answerOf(await invoke("any")), { pid: first.pid, calls: 4 });
});

test("it has one call at a time: another is refused, and has not run", async (t) => {
  const { container, invoke, ready } = await attached(t);
  container.start();
  await ready();
  const long = invoke("hang", 3_000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await invoke("any")).kind, "throttled");
  assert.equal((await long).kind, "timedOut");
});

test("a process that ends in a call fails it, and the one that comes after it is used", async (t) => {
  const { container, invoke, ready } = await attached(t);
  container.start();
  await ready();
  const first = answerOf(await invoke("any"));
  const ended = await invoke("exit");
  assert.equal(ended.kind === "functionError" && ended.errorType, "Runtime.ExitError");
  await ready();
  const next = answerOf(await invoke("any"));
  assert.equal(next.calls, 1);
  assert.notEqual(next.pid, first.pid);
});

test("a process whose time is up is killed where it is seen, and another takes its place", {
  skip: process.platform === "linux" ? false : "there is no /proc",
}, async (t) => {
  const { container, invoke, ready } = await attached(t);
  container.start();
  await ready();
  const first = answerOf(await invoke("any"));
  assert.equal((await invoke("hang", 1_000)).kind, "timedOut");
  // Whoever called may know a moment before the sidecar does.
  while (container.starts < 2) await new Promise((go) => setTimeout(go, 20));
  await ready();
  const next = answerOf(await invoke("any"));
  assert.notEqual(next.pid, first.pid);
  assert.equal(container.starts, 2);
});

test("where it cannot be killed the liveness probe fails until another process asks for events", async (t) => {
  const { sidecar } = await attached(t);
  // A process that no /proc has: it takes an event over a plain connection, and never answers.
  const next = fetch(`http://${sidecar.runtimeAddress}/2018-06-01/runtime/invocation/next`);
  while ((await fetch(`${sidecar.url}/readyz`)).status !== 200) await new Promise((go) => setTimeout(go, 20));
  const headers = { "lambda-runtime-deadline-ms": String(Date.now() + 500) };
  const answer = await fetch(sidecar.url, { method: "POST", body: "{}", headers });
  assert.equal(answer.status, 504);
  assert.equal((await next).status, 200);
  while ((await fetch(sidecar.healthUrl ?? "")).status !== 503) await new Promise((go) => setTimeout(go, 20));
  const again = fetch(`http://${sidecar.runtimeAddress}/2018-06-01/runtime/invocation/next`);
  while ((await fetch(sidecar.healthUrl ?? "")).status !== 200) await new Promise((go) => setTimeout(go, 20));
  await fetch(sidecar.url, { method: "POST", body: "{}", headers });
  await (await again).text();
});
