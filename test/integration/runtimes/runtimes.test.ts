import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCompleteEvent,
} from "@aws-sdk/client-lambda";
import {
  CODE,
  isAlive,
  isHere,
  LANGUAGES,
  type Language,
  type Runtimes,
  startFunctions,
  startRuntimes,
} from "./runtime-run.ts";

const RUN_MS_MAX = 300_000;
const CONTEXT = { custom: { order: "1" } };

for (const language of LANGUAGES) {
  const skip = isHere(language) ? false : "this machine has no python3";
  test(`a function in ${language.name}`, { timeout: RUN_MS_MAX, skip }, async (t) => {
    const runtimes = await startRuntimes(t, language);
    for (const [sentence, prove] of PROOFS) await t.test(sentence, () => prove(runtimes, language));
  });
}

const python = { name: "python", spec: "", errorType: "" };
const skip = isHere(python) ? false : "this machine has no python3";
test("a Python handler logs, and returns numbers of DynamoDB, as on Lambda", {
  timeout: RUN_MS_MAX,
  skip,
}, async (t) => {
  const { invoke, invokeRaw } = await startRuntimes(t, LANGUAGES[1] ?? python);
  const { log } = await invoke("python", { deed: "log" });
  assert.match(log, /^START RequestId: (\S{36}) .*\ndeed log\n\[INFO\]\t[-\dT:.]{23}Z\t\1\tsold köln\nEND /);
  assert.equal(
    await invokeRaw("python", { deed: "price" }),
    '{"price": 12345678901234567890.10, "name": "köln"}',
  );
  const { body } = await invoke("python", { deed: "cycle" });
  assert.deepEqual(
    [body.errorType, body.errorMessage],
    ["Runtime.MarshalError", "Unable to marshal response: Circular reference detected"],
  );
});

test("a streaming handler of Node answers whole, in a process and in a thread", {
  timeout: RUN_MS_MAX,
}, async (t) => {
  const { invoke } = await startFunctions(t, {
    process: `runtime: nodejs24.x, handler: index.streamed, code: "${join(CODE, "node")}"`,
    thread: `module: { path: "${join(CODE, "node/index.mjs")}", isolation: thread, export: streamed }`,
  });
  for (const fn of ["process", "thread"]) {
    const { body, log } = await invoke(fn, { order: 7 });
    assert.equal(body.order, 7);
    assert.ok(log.startsWith(`START RequestId: ${body.requestId} `));
  }
});

test("a response is read while its function writes it, and its failure behind the first bytes", {
  timeout: RUN_MS_MAX,
}, async (t) => {
  const code = join(CODE, "node");
  const { client, makePlace } = await startFunctions(t, {
    process: `runtime: nodejs24.x, handler: index.gated, code: "${code}", timeoutSeconds: 60`,
    thread: `module: { path: "${code}/index.mjs", isolation: thread, export: gated }, timeoutSeconds: 60`,
  });
  for (const [fn, fail] of [
    ["process", false],
    ["process", true],
    ["thread", false],
    ["thread", true],
  ] as const) {
    const gate = join(makePlace(), "gate");
    const command = { FunctionName: fn, Payload: JSON.stringify({ gate, fail }) };
    const answer = await client.send(new InvokeWithResponseStreamCommand(command));
    assert.equal(answer.ExecutedVersion, "$LATEST");
    let text = "";
    let end: InvokeWithResponseStreamCompleteEvent | undefined;
    for await (const { PayloadChunk, InvokeComplete } of answer.EventStream ?? []) {
      text += Buffer.from(PayloadChunk?.Payload ?? []).toString();
      if (text.endsWith("one, ")) writeFileSync(gate, "");
      end = InvokeComplete ?? end;
    }
    assert.equal(text, `{"statusCode":201}${"\0".repeat(8)}one, ${fail ? "" : "two"}`);
    assert.equal(end?.ErrorCode, fail ? "Unhandled" : undefined);
    if (fail) assert.equal(JSON.parse(end?.ErrorDetails ?? "").errorMessage, "no more of it");
  }
});

type Prove = (runtimes: Runtimes, language: Language) => Promise<void>;

/** In this order, in one millrace: the first calls are the first of all, and the last proof ends it. */
const PROOFS: readonly (readonly [sentence: string, prove: Prove])[] = [
  ["gets the client's context, its log is told, and it sees nothing of millrace's variables", tellsContext],
  ["answers call after call in one process, and two calls at once in two", keepsProcesses],
  ["fails by what its handler throws, and its process goes on", failsByThrowing],
  ["fails by a response that is too large, and its process goes on", failsByLargeResponse],
  ["fails by an exit of its process with the status, and another process goes on", failsByExit],
  ["is ended at its time-out, keeps its folder and loses its globals", failsByTime],
  ["fails by what goes wrong while it starts, each time anew", failsAtStart],
  ["is gone with its processes and folders when millrace stops", leavesNothing],
];

async function tellsContext({ invoke }: Runtimes, { name }: Language): Promise<void> {
  const ClientContext = Buffer.from(JSON.stringify(CONTEXT)).toString("base64");
  const { body, log } = await invoke(name, { deed: "tell" }, { ClientContext });
  assert.deepEqual(body.clientContext, CONTEXT);
  assert.equal(body.version, "$LATEST");
  assert.ok(!body.variables.includes("PGPASSWORD"));
  assert.equal(LOG.exec(log)?.[1], body.requestId, log);
  assert.doesNotMatch((await invoke(name, { deed: "tell" })).log, /Init Duration/);
}

const LOG =
  /^START RequestId: (\S{36}) Version: \$LATEST\ndeed tell\nEND RequestId: \1\nREPORT RequestId: \1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\t.*Init Duration: [\d.]+ ms\n$/;

async function keepsProcesses({ invoke, makePlace }: Runtimes, { name }: Language): Promise<void> {
  const first = (await invoke(name, { deed: "tell" })).body;
  for (let more = 1; more <= 30; more++) {
    const { body } = await invoke(name, { deed: "tell" });
    assert.deepEqual([body.pid, body.calls], [first.pid, first.calls + more]);
    assert.notEqual(body.requestId, first.requestId);
  }
  const meet = { deed: "meet", place: makePlace() };
  const both = await Promise.all([invoke(name, meet), invoke(name, meet)]);
  const [one, other] = both.map(({ body }) => body);
  assert.notEqual(one.pid, other.pid);
  assert.notEqual(one.folder, other.folder);
  assert.ok([one.pid, other.pid].includes(first.pid));
}

async function failsByThrowing({ invoke }: Runtimes, { name, errorType }: Language): Promise<void> {
  const { pid } = (await invoke(name, { deed: "tell" })).body;
  const { body, error, log } = await invoke(name, { deed: "throw" });
  assert.equal(error, "Unhandled");
  assert.equal(body.errorType, errorType);
  assert.match(body.errorMessage, /no price for it/);
  assert.ok(Array.isArray(body.trace ?? body.stackTrace));
  assert.match(log, /deed throw\n/);
  assert.equal((await invoke(name, { deed: "tell" })).error, undefined);
  assert.ok(isAlive(pid));
}

async function failsByLargeResponse({ invoke }: Runtimes, { name }: Language): Promise<void> {
  const { pid } = (await invoke(name, { deed: "tell" })).body;
  const { body, error } = await invoke(name, { deed: "large" });
  assert.equal(error, "Unhandled");
  const text = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
  assert.deepEqual([body.errorType, body.errorMessage], ["Function.ResponseSizeTooLarge", text]);
  assert.equal((await invoke(name, { deed: "tell" })).error, undefined);
  assert.ok(isAlive(pid));
}

async function failsByExit({ invoke }: Runtimes, { name }: Language): Promise<void> {
  const failed = await invoke(name, { deed: "exit", status: 3 });
  assert.equal(failed.error, "Unhandled");
  assert.equal(failed.body.errorType, "Runtime.ExitError");
  const text = /^RequestId: \S{36} Error: Runtime exited with error: exit status 3$/;
  assert.match(failed.body.errorMessage, text);
  assert.match(failed.log, /deed exit\n(?:.*\n)*REPORT .*\tStatus: error\tError Type: Runtime\.ExitError\n$/);
  const silent = (await invoke(name, { deed: "exit", status: 0 })).body;
  assert.match(silent.errorMessage, /^RequestId: \S{36} Error: Runtime exited without providing a reason$/);
  assert.equal((await invoke(name, { deed: "tell" })).error, undefined);
}

async function failsByTime({ invoke }: Runtimes, { name }: Language): Promise<void> {
  const fn = `${name}-short`;
  const before = (await invoke(fn, { deed: "tell" })).body;
  assert.equal(before.marked, false);
  const { body, error } = await invoke(fn, { deed: "mark and hang" });
  assert.equal(error, "Unhandled");
  assert.equal(body.errorType, "Sandbox.Timedout");
  assert.match(body.errorMessage, /^RequestId: \S{36} Error: Task timed out after 2\.00 seconds$/);
  const after = (await invoke(fn, { deed: "tell" })).body;
  assert.deepEqual([after.marked, after.calls, after.folder], [true, 1, before.folder]);
  assert.notEqual(after.pid, before.pid);
  assert.equal(isAlive(before.pid), false);
}

async function failsAtStart({ invoke }: Runtimes, { name, errorType }: Language): Promise<void> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const { body, error } = await invoke(`${name}-broken`, { deed: "tell" });
    assert.equal(error, "Unhandled");
    if (name === "shell") {
      assert.equal(body.errorType, "Runtime.ExitError");
      assert.match(body.errorMessage, /^RequestId: \S{36} Error: Runtime exited with error: exit status 7$/);
    } else {
      assert.equal(body.errorType, errorType);
      assert.match(body.errorMessage, /broken at its start/);
    }
  }
}

async function leavesNothing({ invoke, run, left }: Runtimes, { name }: Language): Promise<void> {
  const pids = [name, `${name}-short`].map(async (fn) => (await invoke(fn, { deed: "tell" })).body.pid);
  const alive = await Promise.all(pids);
  assert.deepEqual(alive.filter(isAlive), alive);
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
  assert.deepEqual(alive.filter(isAlive), [], "processes are left");
  assert.deepEqual(left(), [], "folders are left");
}
