import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Server } from "node:net";
import { type TestContext, test } from "node:test";
import { readBody } from "../../../../src/functions/runtime/request-body.ts";
import type { WireRequest } from "../../../../src/functions/runtime/wire-request.ts";
import { createWireServer } from "../../../../src/functions/runtime/wire-server.ts";

/** Answers each request with what it has read of it. */
function echo(request: WireRequest, seen: string[]): void {
  readBody(request, 1_000, {
    onRead: (body) => {
      const said = [request.head.method, request.head.path, Buffer.from(body).toString("latin1")].join("|");
      seen.push(said);
      request.answer(200, "", `${said}|${request.trailers.get("x-end") ?? ""}`);
    },
    onTooLarge: () => request.answer(413, "", "too large"),
    onBroken: () => seen.push("broken"),
  });
}

async function listen(t: TestContext, server: Server, close: () => void): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(close);
  return (server.address() as AddressInfo).port;
}

async function startWire(t: TestContext, serve: (request: WireRequest) => void): Promise<number> {
  const { server, close } = createWireServer(serve);
  return await listen(t, server, close);
}

/** Sends pieces, each after the one before has gone, and reads until `isEnough` or the end. */
async function exchange(
  port: number,
  pieces: readonly string[],
  isEnough: (read: string) => boolean,
  endsWith: "silence" | "end" = "silence",
): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  let read = "";
  const done = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      read += chunk.toString("latin1");
      if (isEnough(read)) resolve();
    });
    socket.on("close", () => resolve());
    socket.on("error", () => resolve());
  });
  for (const piece of pieces) await new Promise((sent) => socket.write(piece, "latin1", sent));
  if (endsWith === "end") socket.end();
  await done;
  socket.destroy();
  return read;
}

const never = () => false;
const POST = "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKS =
  "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-End: yes\r\n\r\n";

test("a request that comes byte by byte is the one that comes at once, and the next uses its connection", async (t) => {
  const seen: string[] = [];
  const port = await startWire(t, (request) => echo(request, seen));
  for (const request of [POST, CHUNKS]) {
    await exchange(port, [request], (read) => read.includes("hello|"));
    await exchange(port, [...request], (read) => read.includes("hello|"));
  }
  assert.deepEqual(seen, ["POST|/a|hello", "POST|/a|hello", "POST|/c|hello", "POST|/c|hello"]);
});

test("what stands behind the chunks of a body is read", async (t) => {
  const port = await startWire(t, (request) => echo(request, []));
  const read = await exchange(port, [CHUNKS], (text) => text.includes("hello|"));
  assert.match(read, /^HTTP\/1\.1 200 OK\r\nContent-Length: 17\r\n\r\nPOST\|\/c\|hello\|yes$/);
});

test("a request that comes before the answer to the one before is refused, and never executed", async (t) => {
  const seen: string[] = [];
  const port = await startWire(t, (request) => echo(request, seen));
  assert.match(await exchange(port, [POST + POST], never), /^HTTP\/1\.1 400 /);
  assert.equal(await exchange(port, [CHUNKS + POST], never), "");
  assert.deepEqual(seen, ["broken"]);
});

test("a request behind one that is held is refused, and whoever holds it hears that it hung up", async (t) => {
  const heard: string[] = [];
  const held = Promise.withResolvers<void>();
  const hungUp = Promise.withResolvers<void>();
  const port = await startWire(t, (request) => {
    heard.push(request.head.path);
    request.whenHungUp(() => hungUp.resolve());
    held.resolve();
  });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET /held HTTP/1.1\r\n\r\n");
  await held.promise;
  socket.write("GET /next HTTP/1.1\r\n\r\n");
  await hungUp.promise;
  socket.destroy();
  assert.deepEqual(heard, ["/held"]);
});

test("a head without an end, a size of a chunk without an end and a malformed size are hung up on", async (t) => {
  const seen: string[] = [];
  const port = await startWire(t, (request) => echo(request, seen));
  const endless = `GET / HTTP/1.1\r\nA: ${"a".repeat(20_000)}`;
  assert.match(await exchange(port, [endless], never), /^HTTP\/1\.1 431 /);
  const begun = "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const size of [
    "1".repeat(300),
    "2;a=b\r\n",
    "-1\r\n",
    "0x1\r\n",
    "1\n",
    "123456789\r\n",
    "3\r\nabcX\r\n",
  ])
    assert.equal(await exchange(port, [begun, size], never), "", size.slice(0, 10));
  assert.deepEqual(new Set(seen), new Set(["broken"]));
});

test("a body that is too large is answered at once, what is left of it is read, and the next request is served", async (t) => {
  const seen: string[] = [];
  const port = await startWire(t, (request) => echo(request, seen));
  const large = `POST /l HTTP/1.1\r\nContent-Length: 5000\r\n\r\n${"x".repeat(5_000)}`;
  const socket = connect(port, "127.0.0.1");
  socket.write(large);
  const [refused] = await once(socket, "data");
  assert.match(String(refused), /^HTTP\/1\.1 413 Payload Too Large/);
  socket.write(POST);
  const [answered] = await once(socket, "data");
  assert.match(String(answered), /hello/);
  socket.destroy();
  // Ten times what it may be is hung up on.
  await exchange(port, [large.replaceAll("5000", "50000"), "y".repeat(45_000)], never);
});

test("who is answered before its too large body is read may send the rest and its next request in one piece", async (t) => {
  for (const chunked of [false, true]) {
    const seen: string[] = [];
    const port = await startWire(t, (request) => echo(request, seen));
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    t.after(() => socket.destroy());
    let read = "";
    const answered = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    socket.on("data", (chunk) => {
      read += chunk.toString("latin1");
      if (read.includes("too large")) answered[0]?.resolve();
      if (read.includes("hello|")) answered[1]?.resolve();
    });
    socket.on("close", () => void answered.map(({ resolve }) => resolve()));
    const half = "x".repeat(1_500);
    const body = chunked ? "Transfer-Encoding: chunked\r\n\r\nbb8\r\n" : "Content-Length: 3000\r\n\r\n";
    socket.write(`POST /long HTTP/1.1\r\n${body}${half}`);
    await answered[0]?.promise;
    socket.write(`${half}${chunked ? "\r\n0\r\n\r\n" : ""}${POST}`);
    await answered[1]?.promise;
    assert.deepEqual(seen, ["POST|/a|hello"]);
    assert.match(read, /^HTTP\/1\.1 413 .*too largeHTTP\/1\.1 200 OK/s);
  }
});

test("a body that waits is asked for, and HTTP/1.0 is hung up on behind its answer", async (t) => {
  const port = await startWire(t, (request) => echo(request, []));
  const asked = await exchange(
    port,
    ["POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"],
    (read) => read.length > 0,
  );
  assert.equal(asked, "HTTP/1.1 100 Continue\r\n\r\n");
  const old = await exchange(port, ["POST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"], never);
  assert.match(old, /Connection: close\r\n.*hello\|$/s);
});

test("whatever is sent: what is served is what Node's own server understands of it", async (t) => {
  const seen: string[] = [];
  const port = await startWire(t, (request) => echo(request, seen));
  const node: string[] = [];
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      node.push([request.method, request.url?.split("?", 1)[0], body].join("|"));
      response.end();
    });
  });
  const nodePort = await listen(t, server, () => {
    server.close();
    server.closeAllConnections();
  });
  const random = chance(20_261_130);
  let served = 0;
  for (let round = 0; round < 400; round++) {
    const sent = mutated(random() < 0.5 ? POST : CHUNKS, random);
    seen.length = 0;
    node.length = 0;
    await exchange(port, pieces(sent, random), never, "end");
    const [ours] = seen.filter((said) => said !== "broken");
    if (ours === undefined) continue;
    served += 1;
    await exchange(nodePort, [sent], never, "end");
    assert.equal(node[0], ours, JSON.stringify(sent));
  }
  assert.ok(served > 20, `${served} were served`);
});

const ALPHABET = "\r\n\0 :;0159afAF,\tGPH/";

/** Each connection is ended by a last line that asks for it, so that no answer has to be waited for. */
function mutated(request: string, random: () => number): string {
  let text = request.replace(" HTTP/1.1\r\n", " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
  for (let left = Math.floor(random() * 3); left > 0; left--) {
    const at = Math.floor(random() * text.length);
    const letter = ALPHABET[Math.floor(random() * ALPHABET.length)] ?? "";
    const kind = random();
    if (kind < 0.4) text = text.slice(0, at) + letter + text.slice(at + 1);
    else if (kind < 0.7) text = text.slice(0, at) + letter + text.slice(at);
    else text = text.slice(0, at) + text.slice(at + 1);
  }
  return text;
}

function pieces(text: string, random: () => number): readonly string[] {
  const at = Math.floor(random() * text.length);
  return [text.slice(0, at), text.slice(at)].filter((piece) => piece !== "");
}

function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
