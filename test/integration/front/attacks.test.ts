import assert from "node:assert/strict";
import { BlockList, type Socket } from "node:net";
import { describe, test } from "node:test";
import type { InvocationResult } from "../../../src/ports/invoker.ts";
import { routeOf } from "../../unit/front/exchange-fixture.ts";
import { FrontWorld, get, HOST, post, said, statusesIn, succeeded, until } from "./front-world.ts";

/** Messages that two servers on the way may read in two ways. */
const TWO_READINGS: Readonly<Record<string, string>> = {
  "a length and chunks": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`,
  "chunks and a length": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG`,
  "two lengths": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
  "one length twice": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na`,
  "a length with a sign": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: +1\r\n\r\na`,
  "a list of lengths": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1, 1\r\n\r\na`,
  "a coding that is not known": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  "two codings": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  "a coding twice": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "chunked that is not last": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  "a blank before the colon": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  "a folded header": `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-A: b\r\n Transfer-Encoding: chunked\r\n\r\n`,
  "a line that ends without a carriage return": `GET / HTTP/1.1\nHost: ${HOST}\n\n`,
  "a zero byte in a header": `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-A: b\0c\r\n\r\n`,
  "chunks in HTTP/1.0": `POST / HTTP/1.0\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "a chunk whose size is no number": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`,
  "a chunk size beyond all bounds": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`,
  "a chunk size whose line ends without a carriage return": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`,
  "a chunk's extension that ends without a carriage return": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\nhello\r\n0\r\n\r\n`,
  "a chunk that goes on where it should end": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n`,
  "a length behind the chunks": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n`,
  "a coding behind a vertical tab": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  "a length in hexadecimal": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 0x1\r\n\r\na`,
  "a length of nothing": `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: \r\n\r\na`,
  "a carriage return in a header": `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-A: b\rTransfer-Encoding: chunked\r\n\r\n`,
  "words behind the version": `GET / HTTP/1.1 more\r\nHost: ${HOST}\r\n\r\n`,
  "two hosts": `GET / HTTP/1.1\r\nHost: ${HOST}\r\nHost: other.example\r\n\r\n`,
  "no host": "GET / HTTP/1.1\r\n\r\n",
  "a host that is no name": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
  "an absolute URL of another host": `GET http://other.example/ HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  "a target without a slash": `OPTIONS * HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  "another version of HTTP": `GET / HTTP/2.0\r\nHost: ${HOST}\r\n\r\n`,
  "a method that is none": `G(T / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  "a WebSocket": get("/", ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x"]),
};

describe("what may be read in two ways is refused, ends its connection, and reaches no function:", () => {
  for (const [what, text] of Object.entries(TWO_READINGS)) {
    test(what, async (t) => {
      const world = await FrontWorld.start(t);
      // Were the first read otherwise, the second would be answered.
      const answer = await world.say(`${text}${get("/smuggled")}`);
      const [status = 0, ...more] = statusesIn(answer);
      assert.ok(status >= 400 && status < 600, `${status}: ${answer.slice(0, 200)}`);
      assert.deepEqual(more, []);
      assert.deepEqual(world.calls, []);
    });
  }
});

describe("a connection", () => {
  test("has its requests answered one after the other, in their order, however far ahead they were sent", async (t) => {
    const world = await FrontWorld.start(t);
    let running = 0;
    let most = 0;
    world.answer = async (_call, event) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return succeeded({ statusCode: 200, body: String(Reflect.get(event as object, "rawPath")) });
    };
    const last = get("/c", ["Connection: close"]);
    const answer = await world.say(get("/a") + get("/b") + last);
    assert.deepEqual(
      [...answer.matchAll(/\r\n\r\n(\/\w)/g)].map(([, path]) => path),
      ["/a", "/b", "/c"],
    );
    assert.equal(most, 1);
  });

  test("that sends too far ahead is cut off", async (t) => {
    const world = await FrontWorld.start(t, { aheadMax: 4 });
    world.answer = () => new Promise(() => undefined);
    await world.say(get().repeat(20));
    assert.equal(world.calls.length, 1);
  });

  test("has the answer to its request, and no other, when what follows cannot be read", async (t) => {
    const world = await FrontWorld.start(t);
    const { promise, resolve } = Promise.withResolvers<InvocationResult>();
    world.answer = () => promise;
    const answer = world.say(`${get()}NONSENSE\r\n\r\n`);
    await until(() => world.refusals.length > 0);
    resolve(succeeded({ statusCode: 201 }));
    assert.deepEqual(statusesIn(await answer), [201]);
  });
});

describe("header bombs", () => {
  const bombs: Readonly<Record<string, string>> = {
    "more bytes than are read": get("/", [`X-A: ${"b".repeat(20_000)}`]),
    "more headers than one may have": get(
      "/",
      Array.from({ length: 101 }, (_, index) => `X-${index}: a`),
    ),
    "a target beyond all bounds": get(`/${"a".repeat(20_000)}`),
  };
  for (const [what, text] of Object.entries(bombs)) {
    test(`${what} are refused with 431`, async (t) => {
      const world = await FrontWorld.start(t);
      assert.deepEqual(statusesIn(await world.say(text)), [431]);
      assert.deepEqual([world.calls, world.refusals], [[], ["headers"]]);
    });
  }
});

describe("a body", () => {
  test("that says it is too large is refused before a byte of it is read", async (t) => {
    const world = await FrontWorld.start(t);
    const size = 6 * 1024 * 1024 + 1;
    const head = `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${size}\r\nExpect: 100-continue\r\n\r\n`;
    assert.deepEqual(statusesIn(await world.say(head)), [413]);
    assert.deepEqual([world.calls, world.refusals], [[], ["too_large"]]);
  });

  test("that comes in chunks is refused where it becomes too large", async (t) => {
    const world = await FrontWorld.start(t);
    const socket = world.socket();
    const answer = said(socket, `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const chunk = `80000\r\n${"x".repeat(0x80000)}\r\n`;
    for (let sent = 0; sent < 14 && !socket.destroyed; sent++) socket.write(chunk);
    await answer;
    assert.deepEqual([world.calls, world.refusals], [[], ["too_large"]]);
  });

  test("is sent only when it was asked for, where its sender waits for that", async (t) => {
    const world = await FrontWorld.start(t);
    const socket = world.socket();
    socket.once("data", () => socket.write("hello"));
    const answer = await said(
      socket,
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
    );
    assert.deepEqual(statusesIn(answer), [100, 200]);
    assert.equal(world.calls[0]?.event["body"], "hello");
  });

  test("for which there is no room is refused, and room comes back with the answer of another", async (t) => {
    const world = await FrontWorld.start(t, { bytesMax: 40_000 });
    const { promise, resolve } = Promise.withResolvers<InvocationResult>();
    world.answer = () => promise;
    const body = "x".repeat(10_000);
    const type = "Content-Type: text/plain";
    const first = world.ask(post(body, [type]));
    await until(() => world.calls.length === 1);
    assert.deepEqual(statusesIn(await world.ask(post("y".repeat(20_000), [type]))), [503]);
    assert.ok(world.gauges().bytes <= 40_000);
    resolve(succeeded({ statusCode: 200 }));
    assert.deepEqual(statusesIn(await first), [200]);
    assert.deepEqual(statusesIn(await world.ask(post(body, [type]))), [200]);
    await until(() => world.gauges().bytes === 0);
  });

  test("whose event there is no room for is refused, and reaches no function", async (t) => {
    const world = await FrontWorld.start(t, { bytesMax: 15_000 });
    const answer = await world.ask(post("x".repeat(10_000), ["Content-Type: text/plain"]));
    assert.deepEqual([statusesIn(answer), world.calls, world.refusals], [[503], [], ["busy"]]);
  });

  test("that ends before its end reaches no function", async (t) => {
    const world = await FrontWorld.start(t);
    const socket = world.socket();
    socket.end(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 100\r\n\r\nfew`);
    await until(() => world.refusals.length > 0);
    assert.deepEqual(world.calls, []);
  });
});

/** As long as they need to be for a loaded machine, and no longer. */
const HASTY = { headersTimeoutMs: 200, requestTimeoutMs: 60_000, checkMs: 20, graceMs: 100, stallMs: 100 };

describe("slow clients", () => {
  test("who never end their headers are cut off, and others are answered", async (t) => {
    const world = await FrontWorld.start(t, HASTY);
    const slow = Array.from({ length: 20 }, () => world.say(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-A: `));
    assert.deepEqual(statusesIn(await world.ask(get())), [200]);
    for (const answer of await Promise.all(slow)) assert.deepEqual(statusesIn(answer), [408]);
    assert.equal(world.calls.length, 1);
  });

  test("whose body comes byte by byte are cut off", async (t) => {
    const world = await FrontWorld.start(t, HASTY);
    const socket = world.socket();
    const drip = setInterval(() => socket.write("x"), 10);
    t.after(() => clearInterval(drip));
    const answer = await said(socket, `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1000000\r\n\r\n`);
    assert.deepEqual([statusesIn(answer), world.calls, world.refusals], [[], [], ["slow"]]);
    await until(() => world.gauges().bytes === 0);
  });

  test("who do not read their response are cut off, and what it held is free again", async (t) => {
    const world = await FrontWorld.start(t, { ...HASTY, stallMs: 300 });
    world.answer = () => succeeded({ statusCode: 200, body: "x".repeat(5_000_000) });
    const socket = world.socket();
    socket.pause();
    socket.write(get());
    await until(() => world.calls.length === 1);
    await until(() => world.gauges().requests === 0);
    assert.equal(world.gauges().bytes, 0);
  });
});

test("who reads none of many short responses is cut off as well, and what they held is free again", {
  timeout: 60_000,
}, async (t) => {
  const world = await FrontWorld.start(t, { ...HASTY, stallMs: 300, aheadMax: 1_000 });
  // Each is handed over in one piece, and more of them than a connection takes without a reader.
  world.answer = () => succeeded({ statusCode: 200, body: "x".repeat(60_000) });
  const socket = world.socket();
  socket.pause();
  socket.write(get().repeat(800));
  await until(() => world.calls.length > 0);
  await until(() => world.gauges().connections === 0);
  assert.deepEqual([world.gauges().requests, world.gauges().bytes], [0, 0]);
  assert.ok(world.calls.length < 800);
});

test("two thousand connections that say nothing keep nobody out", { timeout: 120_000 }, async (t) => {
  const world = await FrontWorld.start(t, {
    headersTimeoutMs: 60_000,
    requestTimeoutMs: 60_000,
    checkMs: 10_000,
  });
  const idle: Socket[] = [];
  t.after(() => idle.forEach((socket) => void socket.destroy()));
  for (let count = 0; count < 2_000; count++) {
    const socket = world.socket();
    idle.push(socket);
    if (count % 100 === 99) await until(() => world.gauges().connections === idle.length);
  }
  for (let more = 0; more < 10; more++) assert.deepEqual(statusesIn(await world.ask(get())), [200]);
  assert.ok(world.gauges().connections <= 2_000);
  assert.equal(world.calls.length, 10);
});

test("a response that there is no room for is not held: its caller is told, and the function ran once", async (t) => {
  const world = await FrontWorld.start(t, { bytesMax: 10_000 });
  world.answer = () => succeeded({ statusCode: 200, body: "x".repeat(20_000) });
  assert.deepEqual(statusesIn(await world.ask(get())), [503]);
  assert.equal(world.calls.length, 1);
});

test("a client that hangs up does not stop its function, and a call that has not begun is not made", async (t) => {
  const world = await FrontWorld.start(t);
  const { promise, resolve } = Promise.withResolvers<InvocationResult>();
  let isAborted = false;
  world.answer = (call) => {
    call.signal.addEventListener("abort", () => {
      isAborted = true;
    });
    return promise;
  };
  const socket = world.socket();
  socket.write(get());
  await until(() => world.calls.length === 1);
  socket.destroy();
  await until(() => world.gauges().requests === 0);
  assert.equal(isAborted, false);
  resolve(succeeded({ statusCode: 200 }));
  assert.deepEqual(statusesIn(await world.ask(get())), [200]);
});

test("nobody says where a request came from but a proxy that is trusted", async (t) => {
  const world = await FrontWorld.start(t);
  await world.ask(get("/", ["X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https"]));
  const headers = world.calls[0]?.event["headers"];
  assert.deepEqual(
    ["x-forwarded-for", "x-forwarded-proto"].map((name) => Reflect.get(headers as object, name)),
    ["127.0.0.1", "http"],
  );
});

describe("behind a proxy that is trusted a request came from", () => {
  const chains: Readonly<Record<string, readonly [chain: string, from: string]>> = {
    "the one who came to it": ["198.51.100.1, 203.0.113.7", "203.0.113.7"],
    "an address of which the proxy wrote the port too": ["203.0.113.7:51234", "203.0.113.7"],
    "an address of IPv6 in brackets": ["[2001:db8::1]:51234", "2001:db8::1"],
    "the one before further proxies that are trusted": ["203.0.113.7, 127.0.0.9:80", "203.0.113.7"],
    "the last proxy of which anything is known": ["203.0.113.7, unknown, 127.0.0.9", "127.0.0.9"],
    "the proxy, when it says nothing": ["", "127.0.0.1"],
  };
  for (const [what, [chain, from]] of Object.entries(chains)) {
    test(what, async (t) => {
      const trusted = new BlockList();
      trusted.addSubnet("127.0.0.0", 8, "ipv4");
      const world = await FrontWorld.start(t, {}, { trusted });
      await world.ask(get("/", [`X-Forwarded-For: ${chain}`]));
      const context = world.calls[0]?.event["requestContext"] as { http?: { sourceIp?: string } } | undefined;
      assert.equal(context?.http?.sourceIp, from);
    });
  }
});

test("without credentials nobody passes where callers have to sign", async (t) => {
  const world = await FrontWorld.start(t, {}, { routes: [routeOf({ authType: "AWS_IAM" })] });
  assert.deepEqual(statusesIn(await world.ask(get())), [403]);
  assert.deepEqual(statusesIn(await world.ask(get("/", ["Authorization: Bearer x"]))), [403]);
  assert.deepEqual([world.calls, world.refusals], [[], ["unsigned", "unsigned"]]);
});
