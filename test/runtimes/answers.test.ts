import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startFunctions } from "../integration/runtimes/runtime-run.ts";
import { type FunctionCode, type RuntimeUnderTest, runtimesUnderTest } from "./runtimes-under-test.ts";

/** What `Invoke` answers of a function in each language, as AWS recorded it of these clients. */
for (const runtime of await runtimesUnderTest()) {
  const { client, code, missing } = runtime;
  describe(`Invoke of a function by ${client}`, { timeout: 300_000 }, () => {
    if (code === undefined) test("is not built here", { skip: missing });
    else test("answers as on Lambda", (t) => answersAsLambda(t, code, runtime));
  });
}

type Start = Parameters<typeof startFunctions>[0];

async function answersAsLambda(t: Start, code: FunctionCode, { name, fault }: RuntimeUnderTest) {
  const { invoke, run, left } = await startFunctions(t, { [name]: specOf(code) });
  const ClientContext = Buffer.from('{"custom":{"order":"1"}}').toString("base64");
  const { body: told, log, error } = await invoke(name, { task: "tell" }, { ClientContext });
  assert.equal(error, undefined);
  assert.deepEqual(told.custom, { order: "1" });
  assert.match(told.functionArn, new RegExp(`^arn:aws:lambda:[^:]+:\\d{12}:function:${name}$`));
  assert.match(log, REPORTED);
  assert.equal(REPORTED.exec(log)?.[1], told.requestId);

  const failed = await invoke(name, { task: "fail", message: "Handler fails" });
  assert.equal(failed.error, "Unhandled");
  assert.deepEqual(Object.keys(failed.body).toSorted(), fault.members);
  assert.deepEqual([failed.body.errorType, failed.body.errorMessage], [fault.errorType, "Handler fails"]);
  if ("requestId" in failed.body) assert.match(failed.log, new RegExp(failed.body.requestId));

  const ended = await invoke(name, { task: "exit", status: 7 });
  assert.deepEqual(Object.keys(ended.body).toSorted(), ["errorMessage", "errorType"]);
  assert.match(
    ended.body.errorMessage,
    /^RequestId: \S{36} Error: Runtime exited with error: exit status 7$/,
  );
  if (name === "go") await tellsFramesOfGo(invoke);

  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
  assert.deepEqual(left(), []);
}

const REPORTED =
  /^START RequestId: (\S{36}) Version: \$LATEST\n(?:.*\n)*END RequestId: \1\nREPORT RequestId: \1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\t/;

/** A panic ends the process, and its frames are objects. */
async function tellsFramesOfGo(invoke: Awaited<ReturnType<typeof startFunctions>>["invoke"]): Promise<void> {
  const { body } = await invoke("go", { task: "panic", message: "oh" });
  assert.deepEqual(Object.keys(body).toSorted(), ["errorMessage", "errorType", "stackTrace"]);
  assert.deepEqual([body.errorType, body.errorMessage], ["string", "oh"]);
  assert.deepEqual(Object.keys(body.stackTrace[0]), ["path", "line", "label"]);
  assert.equal((await invoke("go", { task: "tell" })).body.calls, 1);
}

function specOf({ runtime, handler, command, codeFolder }: FunctionCode): string {
  return JSON.stringify({ runtime, handler, command, code: codeFolder, timeoutSeconds: 60 }).slice(1, -1);
}
