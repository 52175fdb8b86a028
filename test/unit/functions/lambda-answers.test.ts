import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createLambdaFunction } from "../../../src/functions/lambda.ts";
import type { ResponseSink } from "../../../src/ports/response-sink.ts";

const PAGE = " \n<!DOCTYPE html><html><body>Log in first.</body></html>";

/** What becomes of an invocation that is answered with status 200, this body and these headers. */
async function outcomeOf(
  t: TestContext,
  body: string,
  headers: Readonly<Record<string, string>> = {},
  sink?: ResponseSink,
) {
  const { invoke } = await startTarget(t, (_request, response) => {
    response.writeHead(200, headers).end(body);
  });
  return await invoke(sink);
}

async function startTarget(t: TestContext, listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" });
  const target = createLambdaFunction({
    functionName: "f",
    region: "eu-west-1",
    endpoint,
    connections: 1,
  });
  t.after(async () => {
    await target.close();
    server.closeAllConnections();
    server.close();
  });
  const context = {
    requestId: "5e0f4a5e-0000-4000-8000-000000000001",
    functionName: "f",
    functionArn: "arn:aws:lambda:eu-west-1:000000000000:function:f",
    deadlineMs: Date.now() + 10_000,
    timeoutMs: 10_000,
  };
  const { signal } = new AbortController();
  return { invoke: (sink?: ResponseSink) => target.invoke(Buffer.from("{}"), context, signal, sink) };
}

const NO_SINK: ResponseSink = {
  open: () => assert.fail("it was opened"),
  write: () => assert.fail("it got bytes"),
};

test("a web page with status 200 is no function's answer: nothing has run, and nothing is settled", async (t) => {
  const outcome = await outcomeOf(t, PAGE);
  assert.equal(outcome.kind, "unavailable");
  // Its first bytes are no length of a message for which memory is made.
  const streamed = await outcomeOf(t, PAGE, { "content-type": "text/html" }, NO_SINK);
  assert.equal(streamed.kind, "unavailable");
});

test("a service that does not know streams is asked for the whole, and is asked so from then on", async (t) => {
  const paths: string[] = [];
  const { invoke } = await startTarget(t, ({ url = "" }, response) => {
    paths.push(url);
    if (url.includes("streaming")) response.writeHead(404).end("404 page not found");
    else response.writeHead(200).end('"whole"');
  });
  for (let call = 0; call < 2; call++) {
    const outcome = await invoke(NO_SINK);
    assert.ok(outcome.kind === "succeeded", JSON.stringify(outcome));
    assert.equal(Buffer.from(outcome.payload).toString(), '"whole"');
  }
  assert.deepEqual(
    paths.map((path) => path.includes("streaming")),
    [true, false, false],
  );
});

test("a function that is not there is not asked for again by another operation", async (t) => {
  let calls = 0;
  const { invoke } = await startTarget(t, (_request, response) => {
    calls += 1;
    const headers = { "x-amzn-errortype": "ResourceNotFoundException", "content-type": "application/json" };
    response.writeHead(404, headers).end('{"Type":"User","Message":"Function not found"}');
  });
  assert.equal((await invoke(NO_SINK)).kind, "unavailable");
  assert.equal(calls, 1);
});

for (const [what, body, headers] of [
  ["what an emulator answers without a version", "null", {}],
  ["an empty answer of an emulator", "", {}],
  ["plain text of a runtime that makes no JSON", "Echoing request: '{}'", {}],
  ["markup of which Lambda names the version that ran", PAGE, { "X-Amz-Executed-Version": "$LATEST" }],
] as const) {
  test(`${what} is the function's`, async (t) => {
    assert.equal((await outcomeOf(t, body, headers)).kind, "succeeded");
  });
}
