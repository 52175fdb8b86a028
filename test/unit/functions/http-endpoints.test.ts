import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { type TestContext, test } from "node:test";
import { HttpEndpoints } from "../../../src/functions/http-endpoints.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";

interface Pod {
  readonly address: string;
  /** Calls that it has now. */
  readonly open: (() => void)[];
  calls: number;
  most: number;
  status: number;
}

/** Servers on one port of several addresses of this machine, as pods have. */
async function pods(t: TestContext, addresses: readonly string[]) {
  let port = 0;
  const all: Pod[] = [];
  for (const address of addresses) {
    const pod: Pod = { address, open: [], calls: 0, most: 0, status: 200 };
    const server: Server = createServer((request, response) => {
      request.resume();
      pod.calls += 1;
      if (pod.status !== 200) return void response.writeHead(pod.status).end();
      pod.open.push(() => response.end(JSON.stringify(address)));
      pod.most = Math.max(pod.most, pod.open.length);
    });
    await new Promise<void>((resolve) => server.listen(port, address, () => resolve()));
    const bound = server.address();
    port = typeof bound === "object" && bound !== null ? bound.port : port;
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    all.push(pod);
  }
  return { port, all };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setImmediate(resolve));
}

function calling(target: HttpEndpoints, timeoutMs = 60_000): Promise<InvocationOutcome> {
  const context = { requestId: "r", functionName: "f", functionArn: "arn", deadlineMs: 0, timeoutMs };
  return target.invoke(Buffer.from("{}"), context, new AbortController().signal);
}

function answerAll(pod: Pod): void {
  for (const answer of pod.open.splice(0)) answer();
}

test("each address has so many calls at once and no more, and what is too much waits", async (t) => {
  const { port, all } = await pods(t, ["127.0.0.1", "127.0.0.2"]);
  const addressesOf = async () => all.map(({ address }) => address);
  const target = new HttpEndpoints({ url: `http://orders:${port}/`, perEndpoint: 1, addressesOf });
  t.after(() => target.close());
  const calls = [calling(target), calling(target), calling(target)];
  await until(() => all.every(({ open }) => open.length === 1));
  const [first, second] = all;
  assert(first !== undefined && second !== undefined);
  assert.equal(first.calls + second.calls, 2, "the third waits");
  answerAll(first);
  await until(() => first.open.length === 1);
  answerAll(first);
  answerAll(second);
  assert.deepEqual(
    (await Promise.all(calls)).map(({ kind }) => kind),
    ["succeeded", "succeeded", "succeeded"],
  );
  assert.deepEqual([first.most, second.most], [1, 1]);
});

test("one that refuses or is not there has run nothing: another takes the call", async (t) => {
  const { port, all } = await pods(t, ["127.0.0.1", "127.0.0.2"]);
  const [first, second] = all;
  assert(first !== undefined && second !== undefined);
  // Nobody listens at the third.
  const addressesOf = async () => ["127.0.0.3", first.address, second.address];
  const target = new HttpEndpoints({ url: `http://orders:${port}/`, perEndpoint: 1, addressesOf });
  t.after(() => target.close());
  first.status = 429;
  second.status = 503;
  const refused = await calling(target);
  assert.match(refused.kind, /^(throttled|unavailable)$/, "all have refused it");
  assert.equal(first.calls + second.calls, 2, "each was asked once");
  second.status = 200;
  const call = calling(target);
  await until(() => second.open.length === 1);
  answerAll(second);
  assert.equal((await call).kind, "succeeded");
});

test("a name without an address, and one that cannot be looked up, cost nothing but are told", async (t) => {
  const none = new HttpEndpoints({ url: "http://orders:1/", perEndpoint: 1, addressesOf: async () => [] });
  const unknown = new HttpEndpoints({
    url: "http://orders:1/",
    dns: "pods",
    perEndpoint: 1,
    addressesOf: async () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" })),
  });
  t.after(() => Promise.all([none.close(), unknown.close()]));
  assert.deepEqual(await calling(none), { kind: "unavailable", message: "orders:1: orders has no address" });
  assert.deepEqual(await calling(unknown), {
    kind: "unavailable",
    message: "orders:1: pods cannot be looked up: ENOTFOUND",
  });
});

test("a call that finds no room in its time is throttled, and runs nowhere", async (t) => {
  const { port, all } = await pods(t, ["127.0.0.1"]);
  const [pod] = all;
  assert(pod !== undefined);
  const addressesOf = async () => [pod.address];
  const target = new HttpEndpoints({ url: `http://orders:${port}/`, perEndpoint: 1, addressesOf });
  t.after(() => target.close());
  const first = calling(target);
  await until(() => pod.open.length === 1);
  assert.equal((await calling(target, 100)).kind, "throttled");
  answerAll(pod);
  assert.equal((await first).kind, "succeeded");
  assert.equal(pod.calls, 1);
});
