import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createLambdaFunction } from "../../../src/functions/lambda.ts";

const PAGE = " \n<!DOCTYPE html><html><body>Log in first.</body></html>";

/** What becomes of an invocation that is answered with status 200, this body and these headers. */
async function outcomeOf(t: TestContext, body: string, headers: Readonly<Record<string, string>> = {}) {
  const server = createServer((_request, response) => {
    response.writeHead(200, headers).end(body);
  });
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
  return await target.invoke(Buffer.from("{}"), context, new AbortController().signal);
}

test("a web page with status 200 is no function's answer: nothing has run, and nothing is settled", async (t) => {
  const outcome = await outcomeOf(t, PAGE);
  assert.equal(outcome.kind, "unavailable");
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
