import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { type ApiServer, type ApiServerOptions, startApiServer } from "../../../src/api/server.ts";
import { ControlWorld } from "../control/control-world.ts";
import { apiOptions, testCredentials, WRITE_KEY } from "./api-fixture.ts";

const MIB = 1024 * 1024;
const INVOKE = "/2015-03-31/functions/fn/invocations";

async function start(t: TestContext, options: Partial<ApiServerOptions> = {}): Promise<ApiServer> {
  const server = await startApiServer(apiOptions(undefined, options));
  t.after(() => server.close());
  return server;
}

async function open(t: TestContext, { url }: ApiServer, text = ""): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

/** Status of the first answer; `undefined`: the connection ended without one. */
function statusOf(socket: Socket): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? [];
      if (status !== undefined) resolve(Number(status));
    });
    socket.once("close", () => resolve(undefined));
  });
}

function health(t: TestContext, server: ApiServer): Promise<number | undefined> {
  return open(t, server, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").then(statusOf);
}

function signedHead(bytes: number): string {
  const now = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${WRITE_KEY.accessKeyId}/${now.slice(0, 8)}/us-east-1/lambda/aws4_request`;
  const claim = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`;
  return `POST ${INVOKE} HTTP/1.1\r\nHost: localhost\r\nX-Amz-Date: ${now}\r\nAuthorization: ${claim}\r\nContent-Length: ${bytes}\r\n\r\n`;
}

const FEW = { connections: { connectionsMax: 8, quietMs: 60_000 } };

test("answers health although more connections than it keeps are open and say nothing", async (t) => {
  const server = await start(t, FEW);
  const idle = await Promise.all(Array.from({ length: 40 }, () => open(t, server)));
  assert.equal(await health(t, server), 200);
  const open8 = idle.filter((socket) => !socket.closed && !socket.readableEnded);
  assert.ok(open8.length <= 8, `${open8.length} of 40 silent connections are still open`);
});

test("answers health although all connections drip heads that never end", async (t) => {
  const server = await start(t, FEW);
  await Promise.all(
    Array.from({ length: 20 }, () => open(t, server, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b")),
  );
  assert.equal(await health(t, server), 200);
});

test("answers health although all connections have begun bodies that never end", async (t) => {
  const server = await start(t, FEW);
  const head = `POST ${INVOKE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{`;
  await Promise.all(Array.from({ length: 20 }, () => open(t, server, head)));
  assert.equal(await health(t, server), 200);
});

test("does not end a call that runs silently to make room for others", async (t) => {
  let finish = () => {};
  const status = new Promise<readonly []>((resolve) => {
    finish = () => resolve([]);
  });
  const server = await start(t, { ...FEW, status: () => status });
  const slow = await open(t, server, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const answer = statusOf(slow);
  await Promise.all(Array.from({ length: 20 }, () => open(t, server)));
  assert.equal(await health(t, server), 200);
  finish();
  assert.equal(await answer, 200);
});

test("closes a connection that never asks anything", async (t) => {
  const server = await start(t, { connections: { connectionsMax: 8, quietMs: 20 } });
  const socket = await open(t, server);
  socket.resume();
  await once(socket, "close");
});

test("holds no more bodies of callers who are not proven than it has room for", async (t) => {
  const bodyBytes = { totalMax: 8 * MIB, unprovenMax: 2 * MIB };
  const server = await start(t, { credentials: testCredentials(t), bodyBytes });
  const bytes = 3 * MIB;
  const body = Buffer.alloc(bytes - 1, 0x20);
  const sockets = await Promise.all(Array.from({ length: 4 }, () => open(t, server, signedHead(bytes))));
  for (const socket of sockets) socket.write(body);
  assert.deepEqual(await Promise.all(sockets.map(statusOf)), [429, 429, 429, 429]);
});

test("gives back what a body held when its caller hangs up", async (t) => {
  const bodyBytes = { totalMax: MIB, unprovenMax: MIB };
  const server = await start(t, { credentials: testCredentials(t), bodyBytes });
  for (let round = 0; round < 6; round++) {
    const socket = await open(t, server, signedHead(MIB));
    await new Promise<void>((resolve) => socket.write(Buffer.alloc(MIB / 2, 0x20), () => resolve()));
    socket.destroy();
    await once(socket, "close");
  }
  // The whole of it is there again: it is read to its end, and then its signature is found to be wrong.
  let status: number | undefined = 429;
  for (let tries = 0; status === 429 && tries < 100; tries++) {
    const socket = await open(t, server, signedHead(MIB));
    socket.write(Buffer.alloc(MIB, 0x20));
    status = await statusOf(socket);
  }
  assert.equal(status, 403);
});

test("takes the body of a caller whose signature states its hash, where unproven callers have no room", async (t) => {
  const { plane } = await new ControlWorld().start("a");
  const bodyBytes = { totalMax: 8 * MIB, unprovenMax: 0 };
  const server = await startApiServer(apiOptions(plane, { credentials: testCredentials(t), bodyBytes }));
  t.after(() => server.close());
  const client = new LambdaClient({
    region: "eu-west-1",
    endpoint: server.url,
    credentials: WRITE_KEY,
    maxAttempts: 1,
  });
  t.after(() => client.destroy());
  const Payload = Buffer.from(JSON.stringify({ text: "x".repeat(MIB) }));
  const { StatusCode } = await client.send(new InvokeCommand({ FunctionName: "orders", Payload }));
  assert.equal(StatusCode, 200);
});

test("refuses a body that is not the one whose hash was signed", async (t) => {
  const { plane } = await new ControlWorld().start("a");
  const server = await startApiServer(apiOptions(plane, { credentials: testCredentials(t) }));
  t.after(() => server.close());
  const client = new LambdaClient({
    region: "eu-west-1",
    endpoint: server.url,
    credentials: WRITE_KEY,
    maxAttempts: 1,
  });
  t.after(() => client.destroy());
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign(args.request as object, { body: Buffer.from('{"a":2}') });
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
  const invoke = new InvokeCommand({ FunctionName: "orders", Payload: Buffer.from('{"a":1}') });
  await assert.rejects(client.send(invoke), { name: "InvalidSignatureException" });
});

test("calls over one connection leave nothing behind on it", async (t) => {
  const { plane } = await new ControlWorld().start("a");
  const server = await startApiServer(apiOptions(plane));
  t.after(() => server.close());
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const warnings: string[] = [];
  const onWarning = (warning: Error) => warnings.push(warning.name);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  for (let call = 0; call < 30; call++) {
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${server.url}${INVOKE.replace("fn", "orders")}`, { method: "POST", agent });
      sent.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode)));
      sent.on("error", reject).end("{}");
    });
    assert.equal(status, 200);
  }
  await new Promise<void>((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});
