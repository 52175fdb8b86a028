import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { createConnect } from "../../../src/network/connect.ts";

function connected(url: string, timeoutMs: number): Promise<Error | Socket> {
  return new Promise((resolve, reject) => {
    let calls = 0;
    createConnect(
      new URL(url),
      timeoutMs,
    )((error, socket) => {
      calls++;
      if (calls > 1) reject(new Error("called back twice"));
      const made = error ?? socket;
      if (made !== undefined) resolve(made);
    });
  });
}

test("a socket that was made is the caller's, with no listener left on it", async (t) => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const socket = await connected(`http://127.0.0.1:${port}/`, 5_000);
  assert.ok(!(socket instanceof Error));
  t.after(() => {
    socket.destroy();
    server.close();
  });
  assert.equal(socket.listenerCount("error"), 0);
  assert.equal(socket.listenerCount("close"), 0);
});

test("a port on which nobody listens, and a name without an address, are told by their codes", async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  await new Promise((resolve) => server.close(resolve));
  assert.equal(Reflect.get(await connected(`http://127.0.0.1:${port}/`, 5_000), "code"), "ECONNREFUSED");
  const unknown = Reflect.get(await connected("http://no-such-host.invalid/", 5_000), "code");
  assert.match(String(unknown), /^(ENOTFOUND|EAI_AGAIN|ETIMEDOUT)$/);
});

test("a server that never answers to TLS is given up in time", async (t) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const error = await connected(`https://127.0.0.1:${port}/`, 50);
  assert.equal(Reflect.get(error, "code"), "ETIMEDOUT");
});

test("a server that hangs up during TLS is told as one that hung up", async (t) => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  assert.equal(Reflect.get(await connected(`https://127.0.0.1:${port}/`, 5_000), "code"), "ECONNRESET");
});
