import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { MillraceProcess } from "./cli/millrace-process.ts";

const CONTEXT = { client: { app_title: "köln\n" }, custom: { order: "1" } };
const ENCODED = Buffer.from(JSON.stringify(CONTEXT)).toString("base64");

const HANDLER = `export async function handler(event, context) {
  console.log("looking for", event.order);
  if (event.long) console.log("x".repeat(10000) + "end");
  if (event.fail) throw new TypeError("no price for order " + event.order);
  return { clientContext: context.clientContext ?? null, id: context.awsRequestId };
}
`;

/** An HTTP function that answers with its headers, and a service with Lambda's Invoke. */
async function startServer(t: TestContext): Promise<{ url: string; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      seen.push(request.headers);
      const isLambda = request.url?.startsWith("/2015-03-31/") === true;
      if (!isLambda) {
        response.end(
          JSON.stringify({ clientContext: request.headers["lambda-runtime-client-context"] ?? null }),
        );
        return;
      }
      response.setHeader("x-amz-executed-version", "$LATEST").setHeader("x-amz-function-error", "Unhandled");
      if (request.headers["x-amz-log-type"] === "Tail")
        response.setHeader("x-amz-log-result", Buffer.from("START of Lambda's own\n").toString("base64"));
      const stackTrace = ['  File "/var/task/app.py", line 3, in handler\n    raise KeyError(1)\n'];
      response.end(JSON.stringify({ errorMessage: "1", errorType: "KeyError", requestId: "r", stackTrace }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function startRun(t: TestContext) {
  const { url, seen } = await startServer(t);
  const folder = mkdtempSync(join(tmpdir(), "millrace-invoke-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "price.mjs"), HANDLER);
  const targets = {
    module: "module: { path: price.mjs, isolation: thread }",
    http: `http: { url: "${url}/" }`,
    lambda: `lambda: { functionName: price, region: eu-west-1, endpoint: "${url}" }`,
  };
  const documents = Object.entries(targets).map(
    ([name, target]) => `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: ${name} }
spec: { ${target}, timeoutSeconds: 30 }
`,
  );
  writeFileSync(join(folder, "functions.yaml"), documents.join("---\n"));
  const words = ["run", "-f", "functions.yaml", "--api", "127.0.0.1:0", "--store", "memory:"];
  const env = { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "secret-of-the-test" };
  const run = new MillraceProcess(t, words, folder, { env });
  const endpoint = await run.apiUrlOf();
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  const client = new LambdaClient({ region: "eu-west-1", endpoint, credentials, maxAttempts: 1 });
  t.after(() => client.destroy());
  const invoke = async (FunctionName: string, event: object, more: object = {}) => {
    const answer = await client.send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify(event), ...more }),
    );
    const log =
      answer.LogResult === undefined ? undefined : Buffer.from(answer.LogResult, "base64").toString();
    const { requestId } = answer.$metadata;
    const body = JSON.parse(answer.Payload?.transformToString() ?? "");
    return { body, log, error: answer.FunctionError, requestId };
  };
  return { endpoint, invoke, seen };
}

test("Invoke gives a failure's stack as the function's runtime names it", async (t) => {
  const { invoke } = await startRun(t);
  const { body, error } = await invoke("module", { order: 1, fail: true });
  assert.equal(error, "Unhandled");
  assert.deepEqual([body.errorType, body.errorMessage], ["TypeError", "no price for order 1"]);
  assert.equal(body.trace[0], "TypeError: no price for order 1");
  assert.match(body.trace[1], /at handler \(.*price\.mjs:4:\d+\)/);
  assert.equal(body.trace.length, 2, "frames of the runtime are none of the function's");
  const lambda = await invoke("lambda", {});
  assert.equal(lambda.body.errorType, "KeyError");
  assert.match(lambda.body.stackTrace.join("\n"), /app\.py", line 3, in handler\n {4}raise KeyError/);
  assert.match(lambda.body.requestId, /^[0-9a-f-]{36}$/);
});

test("the caller, the function and its log know a call by one id", async (t) => {
  const { invoke } = await startRun(t);
  const { body, log, requestId } = await invoke("module", { order: 1 }, { LogType: "Tail" });
  assert.match(requestId ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(body.id, requestId);
  assert.ok(log?.startsWith(`START RequestId: ${requestId} `), log);
});

test("Invoke gives the last 4 KiB that the function printed to a caller that asks for them", async (t) => {
  const { invoke, seen } = await startRun(t);
  const tail = { LogType: "Tail" };
  const succeeded = await invoke("module", { order: 7 }, tail);
  assert.match(
    succeeded.log ?? "",
    /^START RequestId: (\S{36}) Version: \$LATEST\nlooking for 7\nEND RequestId: \1\nREPORT RequestId: \1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\n$/,
  );
  assert.match((await invoke("module", { order: 8, fail: true }, tail)).log ?? "", /looking for 8\n/);
  const long = await invoke("module", { order: 9, long: true }, tail);
  assert.equal(Buffer.byteLength(long.log ?? ""), 4096);
  assert.match(long.log ?? "", /xend\nEND RequestId/);
  assert.equal((await invoke("module", { order: 7 })).log, undefined);
  assert.equal((await invoke("lambda", {}, tail)).log, "START of Lambda's own\n");
  await invoke("lambda", {});
  assert.deepEqual(
    seen.map((headers) => headers["x-amz-log-type"]),
    ["Tail", undefined],
  );
});

test("Invoke hands the client's context to the function", async (t) => {
  const { endpoint, invoke, seen } = await startRun(t);
  const given = { ClientContext: ENCODED };
  assert.deepEqual((await invoke("module", {}, given)).body.clientContext, CONTEXT);
  assert.deepEqual((await invoke("module", {})).body.clientContext, null);
  const { body } = await invoke("http", {}, given);
  assert.deepEqual(JSON.parse(body.clientContext), CONTEXT);
  assert.doesNotMatch(body.clientContext, /[^ -~]/, "a header holds ASCII alone");
  await invoke("lambda", {}, given);
  assert.equal(seen.at(-1)?.["x-amz-client-context"], ENCODED);
  for (const [name, value] of [
    ["x-amz-client-context", "no base64!"],
    ["x-amz-client-context", Buffer.from("[1]").toString("base64")],
    ["x-amz-log-type", "All"],
  ] as const) {
    const path = `${endpoint}/2015-03-31/functions/module/invocations`;
    const response = await fetch(path, { method: "POST", body: "{}", headers: { [name]: value } });
    assert.equal(response.status, 400, `${name}: ${value}`);
  }
});
