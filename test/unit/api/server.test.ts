import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { type TestContext, test } from "node:test";
import { type ApiServer, type ApiServerOptions, startApiServer } from "../../../src/api/server.ts";
import { parseServerAddress } from "../../../src/api/server-address.ts";
import type { MappingStatus } from "../../../src/engine/engine.ts";
import { hasErrorCode } from "../../../src/model/errors.ts";
import { createSystemClock } from "../../../src/system/clock.ts";

const STATUS: MappingStatus = {
  uuid: "u",
  name: "orders",
  state: "Enabled",
  lastProcessingResult: "OK",
  oldestAgeMs: 0,
  shards: [],
  caughtUp: true,
};

async function start(t: TestContext, options: Partial<ApiServerOptions> = {}): Promise<ApiServer> {
  const server = await startApiServer({
    address: { host: "127.0.0.1", port: 0 },
    version: "1.2.3",
    status: async () => [STATUS],
    metricsText: async () => "millrace_x 1\n",
    metricsContentType: "text/plain; version=0.0.4; charset=utf-8",
    control: () => undefined,
    clock: createSystemClock(),
    requestId: randomUUID,
    log: () => undefined,
    credentials: undefined,
    hosts: [],
    isMetricsElsewhere: false,
    ...options,
  });
  t.after(() => server.close());
  return server;
}

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

function ask(url: string, headers: Record<string, string> = {}, method = "GET", body = ""): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode, type: response.headers["content-type"], body: text }),
      );
    });
    call.on("error", reject).end(body);
  });
}

test("says that the process is alive", async (t) => {
  const { url } = await start(t);
  assert.equal((await ask(`${url}/healthz`)).status, 200);
});

test("is ready when all mappings are Enabled, and names those that are not", async (t) => {
  let state: MappingStatus["state"] = "Creating";
  const { url } = await start(t, { status: async () => [STATUS, { ...STATUS, name: "late", state }] });
  const early = await ask(`${url}/readyz`);
  assert.equal(early.status, 503);
  assert.deepEqual(JSON.parse(early.body).mappings, [{ name: "late", state: "Creating" }]);
  state = "Enabled";
  assert.equal((await ask(`${url}/readyz`)).status, 200);
});

test("is ready although a mapping of the API cannot be opened, and the status says why", async (t) => {
  const unopened = { ...STATUS, name: "gone", state: "Creating", problem: "Its stream is gone." } as const;
  const { url } = await start(t, { status: async () => [STATUS, unopened] });
  assert.equal((await ask(`${url}/readyz`)).status, 200);
  const status = await ask(`${url}/millrace/v1/status`);
  assert.equal(JSON.parse(status.body).mappings[1].problem, "Its stream is gone.");
});

test("serves metrics with Prometheus's content type, and the status as JSON", async (t) => {
  const { url } = await start(t);
  const metrics = await ask(`${url}/metrics`);
  assert.deepEqual(
    [metrics.type, metrics.body],
    ["text/plain; version=0.0.4; charset=utf-8", "millrace_x 1\n"],
  );
  const status = await ask(`${url}/millrace/v1/status`);
  assert.deepEqual(JSON.parse(status.body), { version: "1.2.3", mappings: [STATUS] });
});

test("answers only to local names, so that a web page cannot read it through a name of its own", async (t) => {
  const { url } = await start(t);
  const port = new URL(url).port;
  for (const host of [`localhost:${port}`, "LOCALHOST", "127.0.0.1", "127.1.2.3:80", `[::1]:${port}`]) {
    assert.equal((await ask(`${url}/healthz`, { host })).status, 200, host);
  }
  for (const host of [
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "10.0.0.1",
    "127.0.0.1.nip.io",
  ]) {
    for (const path of ["/healthz", "/metrics", "/nothing"]) {
      const answer = await ask(url + path, { host });
      assert.equal(answer.status, 421, host);
      assert.doesNotMatch(answer.body, /millrace_x/);
    }
  }
});

test("allows no other origin to read it", async (t) => {
  const { url } = await start(t);
  const response = await fetch(`${url}/healthz`, { headers: { origin: "https://evil.example" } });
  assert.equal(response.headers.get("access-control-allow-origin"), null);
});

test("answers what it does not know with JSON and no inner details", async (t) => {
  const { url } = await start(t, { metricsText: () => Promise.reject(new Error("secret inside")) });
  assert.equal((await ask(`${url}/nothing`)).status, 404);
  assert.equal((await ask(`${url}/healthz`, {}, "DELETE")).status, 404);
  const broken = await ask(`${url}/metrics`);
  assert.deepEqual([broken.status, broken.body], [500, '{"message":"The request failed."}']);
});

test("a port that is taken is an error that names it and says what to do", async (t) => {
  const { url } = await start(t);
  const port = Number(new URL(url).port);
  await assert.rejects(start(t, { address: { host: "127.0.0.1", port } }), (error) => {
    assert(hasErrorCode(error, "ERR_MILLRACE_CONFIG"));
    assert.equal(
      error.message,
      `The API cannot be served on 127.0.0.1:${port}: another process listens there. ` +
        "Give another address with --api HOST:PORT (port 0 takes a free one), or --api off to serve none.",
    );
    return true;
  });
});

test("takes loopback addresses only, unless there are credentials", () => {
  assert.deepEqual(parseServerAddress("127.0.0.1:8080"), { host: "127.0.0.1", port: 8080 });
  assert.deepEqual(parseServerAddress("[::1]:0"), { host: "::1", port: 0 });
  assert.deepEqual(parseServerAddress("localhost:1"), { host: "localhost", port: 1 });
  assert.equal(parseServerAddress("off"), undefined);
  for (const open of [
    "0.0.0.0:8080",
    "[::]:8080",
    "10.0.0.1:80",
    "example.com:80",
    "127.0.0.1.evil.example:80",
  ]) {
    assert.throws(
      () => parseServerAddress(open),
      /without credentials only loopback addresses are allowed/,
      open,
    );
  }
  for (const bad of ["8080", "127.0.0.1", ":8080", "127.0.0.1:99999", "::1:80", "http://127.0.0.1:80", ""]) {
    assert.throws(() => parseServerAddress(bad), /is not an address of the API/, bad);
  }
});
