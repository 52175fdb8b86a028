import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { runWords } from "./captured-host.ts";

const LINE = {
  time: "2026-11-30T09:30:00.000Z",
  process: "a",
  version: "$LATEST",
  stream: "stdout",
  requestId: "r-1",
  text: "sold\u001b[31m",
};

async function fakeApi(t: TestContext, body: unknown) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.url));
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, logs: (...words: string[]) => runWords(["logs", ...words, "--api", api]) };
}

test("shows lines with their times, harmless to a terminal", async (t) => {
  const start = { ...LINE, stream: "platform", text: "START RequestId: r-1 Version: $LATEST" };
  const { asked, logs } = await fakeApi(t, { lines: [start, LINE], next: "n" });
  const { stdout, status } = await logs("orders", "--since", "10m", "--request", "r-1");
  assert.equal(status, 0);
  assert.equal(stdout, `${LINE.time} START RequestId: r-1 Version: $LATEST\n${LINE.time} sold\u{fffd}[31m\n`);
  assert.deepEqual(asked, ["/millrace/v1/functions/orders/logs?since=10m&max=1000&request=r-1"]);
});

test("prints a line of JSON for each when told so, and says what is left out", async (t) => {
  const { logs } = await fakeApi(t, { lines: [LINE], next: "n", isCut: true });
  const { stdout, stderr } = await logs("orders", "--json");
  assert.deepEqual(JSON.parse(stdout), LINE);
  assert.equal(stderr, "millrace: lines before these are left out\n");
});

test("a name is needed", async () => {
  const { status, stderr } = await runWords(["logs"]);
  assert.equal(status, 2);
  assert.match(stderr, /FUNCTION is missing/);
});
