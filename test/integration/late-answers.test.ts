import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { createHttpFunction } from "../../src/functions/http.ts";

/** Answers when `flags[0]` is set, and sets `flags[1]` once its answer is on its way. */
const SERVER = `
const { createServer } = require("node:http");
const { parentPort, workerData: flags } = require("node:worker_threads");
const server = createServer((request, response) => {
  request.resume().on("end", () => {
    parentPort.postMessage("asked");
    Atomics.wait(flags, 0, 0);
    response.end("null", () => {
      Atomics.store(flags, 1, 1);
      Atomics.notify(flags, 1);
    });
  });
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
`;
const TIMEOUT_MS = 3_000;
/** Beyond the deadline, and beyond what passes for a tick in time. */
const STOOD_MS = TIMEOUT_MS + 500;

test("an answer that came while the process stood still is taken, though its deadline has passed meanwhile", async (t) => {
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const server = new Worker(SERVER, { eval: true, workerData: flags });
  t.after(() => server.terminate());
  const [port] = await once(server);
  const target = createHttpFunction({ url: `http://127.0.0.1:${port}/` });
  t.after(() => target.close());
  const { signal } = new AbortController();
  const context = { requestId: "r-1", functionName: "orders", functionArn: "arn", timeoutMs: TIMEOUT_MS };
  const asked = once(server);
  const outcome = target.invoke(
    Buffer.from("{}"),
    { ...context, deadlineMs: Date.now() + TIMEOUT_MS },
    signal,
  );
  await asked;
  Atomics.store(flags, 0, 1);
  Atomics.notify(flags, 0);
  Atomics.wait(flags, 1, 0);
  // As a process that is paused: nothing of it runs, and its clock goes on.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STOOD_MS);
  assert.equal((await outcome).kind, "succeeded");
});

function once(server: Worker): Promise<readonly unknown[]> {
  return new Promise((resolve) => server.once("message", (...words) => resolve(words)));
}
