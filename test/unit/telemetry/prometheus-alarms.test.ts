import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createSystemClock } from "../../../src/system/clock.ts";
import { createPrometheusAlarms } from "../../../src/telemetry/prometheus-alarms.ts";

async function prometheus(t: TestContext, answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const logged: string[] = [];
  const log = (_level: string, message: string, fields: object) =>
    void logged.push(`${message} ${JSON.stringify(fields)}`);
  const { port } = server.address() as AddressInfo;
  const alarms = createPrometheusAlarms({
    url: `http://127.0.0.1:${port}/prom/`,
    clock: createSystemClock(),
    log,
  });
  return { alarms, logged };
}

function answering(body: unknown, status = 200): RequestListener {
  return (_request, response) => {
    response.statusCode = status;
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

const vector = (result: unknown[]) => ({ status: "success", data: { resultType: "vector", result } });

for (const [what, body, status, isOn] of [
  ["a sample", vector([{ metric: {}, value: [1, "6"] }]), 200, true],
  ["no sample", vector([]), 200, false],
  ["a number", { status: "success", data: { resultType: "scalar", result: [1, "1"] } }, 200, true],
  ["a fault", { status: "error", errorType: "bad_data", error: "secret" }, 400, undefined],
  ["a fault as if all were well", { status: "error", error: "secret" }, 200, undefined],
  ["no JSON", "<html>secret</html>", 200, undefined],
  ["a redirect", "", 302, undefined],
] as const) {
  test(`Prometheus answers a query with ${what}: the alarm is ${isOn === undefined ? "not known" : isOn ? "on" : "off"}`, async (t) => {
    const { alarms, logged } = await prometheus(t, answering(body, status));
    assert.equal(await alarms.ask("up == 0"), isOn);
    assert.equal(logged.length, isOn === undefined ? 1 : 0);
    assert.ok(!logged.join().includes("secret"), "what a server writes stays out of the log");
  });
}

test("a query goes to Prometheus as it is, below the path of its address", async (t) => {
  const seen: string[] = [];
  const { alarms } = await prometheus(t, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    seen.push(`${request.method} ${request.url}`, new URLSearchParams(body).get("query") ?? "");
    response.end(JSON.stringify(vector([])));
  });
  await alarms.ask('sum(rate(refused_total{a="&+"}[1m])) > 5');
  assert.deepEqual(seen, ["POST /prom/api/v1/query", 'sum(rate(refused_total{a="&+"}[1m])) > 5']);
});

test("a Prometheus that is away is logged once, and once that it is back", async (t) => {
  let isAway = true;
  const { alarms, logged } = await prometheus(t, (_request, response) => {
    if (isAway) response.destroy();
    else response.end(JSON.stringify(vector([])));
  });
  assert.deepEqual([await alarms.ask("up"), await alarms.ask("up")], [undefined, undefined]);
  isAway = false;
  assert.deepEqual([await alarms.ask("up"), await alarms.ask("up")], [false, false]);
  assert.equal(logged.length, 2);
});

test("an answer without end is not waited for, nor kept", async (t) => {
  const { alarms } = await prometheus(t, (_request, response) => {
    const write = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", write);
    write();
  });
  assert.equal(await alarms.ask("up"), undefined);
});
