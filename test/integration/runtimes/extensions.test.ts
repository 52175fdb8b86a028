import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createRuntimeFunction } from "../../../src/functions/runtime/runtime-function.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";

const TIMEOUT_MS = 60_000;
const HANDLER = `
export async function handler({ hang, say }) {
  if (say) console.log(say);
  if (hang) await new Promise((resolve) => setTimeout(resolve, 1_000_000_000));
  return process.pid;
}
`;

/** An extension that writes down what it is told, and ends when it is told to. */
const WATCHER = `#!${process.execPath}
const { appendFileSync } = require("node:fs");
const note = (value) => appendFileSync(process.env.EVENTS, JSON.stringify(value) + "\\n");
const base = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2020-01-01/extension";
const names = Object.keys(process.env).filter((name) => name.startsWith("_") || name === "LAMBDA_TASK_ROOT");
async function run() {
  const registered = await fetch(base + "/register", {
    method: "POST",
    headers: { "Lambda-Extension-Name": "watcher" },
    body: JSON.stringify({ events: ["INVOKE", "SHUTDOWN"] }),
  });
  note({ registered: await registered.json(), names: names.filter((name) => name !== "_") });
  const headers = { "Lambda-Extension-Identifier": registered.headers.get("lambda-extension-identifier") };
  for (;;) {
    const event = await (await fetch(base + "/event/next", { headers })).json();
    note({ type: event.eventType, id: event.requestId, reason: event.shutdownReason });
    if (event.eventType === "SHUTDOWN") process.exit(0);
  }
}
run();
`;

async function startFunction(t: TestContext, extension: string) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-extensions-"));
  const layer = join(folder, "layer");
  mkdirSync(join(layer, "extensions"), { recursive: true });
  writeFileSync(join(folder, "index.mjs"), HANDLER);
  writeFileSync(join(layer, "extensions/watcher"), extension);
  chmodSync(join(layer, "extensions/watcher"), 0o755);
  const events = join(folder, "events");
  const target = await createRuntimeFunction({
    functionName: "extended",
    runtime: "nodejs24.x",
    handler: "index.handler",
    command: undefined,
    codeFolder: folder,
    layerFolders: [layer],
    memoryMb: 256,
    concurrency: 1,
    environment: { EVENTS: events },
    log: { line: () => undefined },
  });
  t.after(async () => {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let calls = 0;
  const invoke = (event: object, timeoutMs = TIMEOUT_MS): Promise<InvocationOutcome> => {
    calls += 1;
    const names = { functionName: "extended", functionArn: "arn:aws:lambda:eu-west-1:1:function:extended" };
    const context = { requestId: `id-${calls}`, ...names, deadlineMs: Date.now() + timeoutMs, timeoutMs };
    return target.invoke(Buffer.from(JSON.stringify(event)), context, new AbortController().signal);
  };
  const told = () =>
    existsSync(events)
      ? readFileSync(events, "utf8")
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line))
      : [];
  return { target, invoke, told };
}

test("an extension of a layer is told of each call and of the end, and sees nothing that is the runtime's", async (t) => {
  const { target, invoke, told } = await startFunction(t, WATCHER);
  for (const _call of [1, 2]) assert.equal((await invoke({})).kind, "succeeded");
  await target.close();
  const [first, ...events] = told();
  const registered = { functionName: "extended", functionVersion: "$LATEST", handler: "index.handler" };
  assert.deepEqual(first, { registered, names: [] });
  assert.deepEqual(events, [
    { type: "INVOKE", id: "id-1" },
    { type: "INVOKE", id: "id-2" },
    { type: "SHUTDOWN", reason: "SPINDOWN" },
  ]);
});

test("a time-out is told to extensions before they start anew", async (t) => {
  const { invoke, told } = await startFunction(t, WATCHER);
  assert.equal((await invoke({ hang: true }, 2_000)).kind, "timedOut");
  assert.equal((await invoke({})).kind, "succeeded");
  const kinds = told().map(({ type = "START", reason }) =>
    reason === undefined ? type : `${type} ${reason}`,
  );
  assert.deepEqual(kinds.slice(0, 4), ["START", "INVOKE", "SHUTDOWN TIMEOUT", "START"]);
});

test("an extension that ends takes its environment with it", async (t) => {
  const { invoke } = await startFunction(t, "#!/bin/sh\nexit 3\n");
  const outcome = await invoke({});
  assert.ok(outcome.kind === "functionError", outcome.kind);
  assert.deepEqual([outcome.errorType, /watcher/.test(outcome.message)], ["Extension.Crash", true]);
});

/** Subscribes to all that there is, writes it down, and ends when it has seen an event to its end. */
const SUBSCRIBER = `#!${process.execPath}
const { createServer } = require("node:http");
const { appendFileSync } = require("node:fs");
const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API;
let seen;
const reported = new Promise((resolve) => (seen = resolve));
const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  response.end();
  for (const record of JSON.parse(text)) {
    appendFileSync(process.env.EVENTS, JSON.stringify(record) + "\\n");
    if (record.type === "platform.report") seen();
  }
});
server.listen(0, "127.0.0.1", async () => {
  const registered = await fetch(api + "/2020-01-01/extension/register", {
    method: "POST",
    headers: { "Lambda-Extension-Name": "watcher" },
    body: JSON.stringify({ events: ["SHUTDOWN"] }),
  });
  const headers = { "Lambda-Extension-Identifier": registered.headers.get("lambda-extension-identifier") };
  const answer = await fetch(api + "/2022-07-01/telemetry", {
    method: "PUT",
    headers,
    body: JSON.stringify({
      schemaVersion: "2022-07-01",
      types: ["platform", "function", "extension"],
      buffering: { maxItems: 1000, maxBytes: 262144, timeoutMs: 25 },
      destination: { protocol: "HTTP", URI: "http://sandbox.localdomain:" + server.address().port },
    }),
  });
  console.log("subscribed: " + answer.status + " " + (await answer.text()));
  await fetch(api + "/2020-01-01/extension/event/next", { headers });
  await reported;
  process.exit(0);
});
`;

test("an extension that subscribes to telemetry is told of the start, the event and what both print", async (t) => {
  const { target, invoke, told } = await startFunction(t, SUBSCRIBER);
  const outcome = await invoke({ say: "hello" });
  assert.equal(outcome.kind, "succeeded");
  await target.close();
  const records: readonly { readonly type: string; readonly record: unknown }[] = told();
  const types = records.map(({ type }) => type);
  // The runtime and the extension start side by side: either may be ready first.
  const ready = "platform.initRuntimeDone";
  assert.deepEqual(
    types.filter((type) => type.startsWith("platform.") && type !== ready),
    [
      ...["platform.initStart", "platform.extension", "platform.telemetrySubscription"],
      ...["platform.initReport", "platform.start", "platform.runtimeDone", "platform.report"],
    ],
  );
  assert.ok(types.indexOf(ready) > 0 && types.indexOf(ready) < types.indexOf("platform.initReport"));
  const printed = (kind: string) => records.filter(({ type }) => type === kind).map(({ record }) => record);
  assert.deepEqual([printed("function"), printed("extension")], [["hello"], ['subscribed: 200 "OK"']]);
});
