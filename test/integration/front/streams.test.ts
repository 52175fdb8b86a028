import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { expectedSignature, readSignatureClaim } from "../../../src/api/signature.ts";
import { HTTP_RESPONSE_TYPE, type ResponseSink } from "../../../src/ports/response-sink.ts";
import { routeOf } from "../../unit/front/exchange-fixture.ts";
import { FrontWorld, get, HOST, statusesIn, until } from "./front-world.ts";

const STREAMED = { routes: [routeOf({ invokeMode: "RESPONSE_STREAM" })] };
const EMPTY = new Uint8Array();
const PRELUDE = { statusCode: 206, headers: { "X-Owned": "stream" }, cookies: ["s=1", "t=2"] };

function open(sink: ResponseSink | undefined, contentType: string | undefined): ResponseSink {
  assert.ok(sink !== undefined);
  sink.open({ contentType, executedVersion: "$LATEST" });
  return sink;
}

/** A prelude and the beginning of a body, three bytes at a time. */
async function writeInPieces(sink: ResponseSink, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += 3) await sink.write(bytes.subarray(at, at + 3));
}

describe("a response that streams", () => {
  test("goes out while the function writes, with the head that its prelude has", async (t) => {
    const world = await FrontWorld.start(t, {}, STREAMED);
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    world.answer = async ({ sink }) => {
      const stream = open(sink, HTTP_RESPONSE_TYPE);
      await writeInPieces(stream, Buffer.from(`${JSON.stringify(PRELUDE)}${"\0".repeat(8)}`));
      await stream.write(Buffer.from("first "));
      // Nothing more is written before the client has this.
      await seen;
      await stream.write(Buffer.from("last"));
      return { kind: "succeeded", payload: EMPTY };
    };
    const socket = world.socket();
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      if (text.includes("first")) resolve();
    });
    socket.write(get("/", ["Connection: close"]));
    await until(() => socket.destroyed);
    assert.deepEqual(statusesIn(text), [206]);
    assert.match(text, /^x-owned: stream\r\n/m);
    assert.deepEqual(
      [...text.matchAll(/^set-cookie: (.*)\r/gm)].map(([, cookie]) => cookie),
      ["s=1", "t=2"],
    );
    assert.match(text, /first[\s\S]*last/);
  });

  test("without a prelude has the type that the function says", async (t) => {
    const world = await FrontWorld.start(t, {}, STREAMED);
    world.answer = async ({ sink }) => {
      await open(sink, "application/x-no-metadata").write(Buffer.from("abc"));
      return { kind: "succeeded", payload: EMPTY };
    };
    const text = await world.say(get("/", ["Connection: close"]));
    assert.match(text, /^HTTP\/1\.1 200[\s\S]*content-type: application\/x-no-metadata[\s\S]*abc/);
  });

  test("ends where it is when the function fails behind its first bytes, and is not called again", async (t) => {
    const world = await FrontWorld.start(t, {}, STREAMED);
    world.answer = async ({ sink }) => {
      await open(sink, undefined).write(Buffer.from("prefix"));
      return { kind: "functionError", errorType: "Error", message: "it failed" };
    };
    const text = await world.say(get("/", ["Connection: close"]));
    assert.deepEqual(statusesIn(text), [200]);
    assert.match(text, /prefix\r\n0\r\n\r\n$/);
    assert.equal(world.calls.length, 1);
  });

  test("whose prelude is none, or never ends, is a 502", async (t) => {
    const world = await FrontWorld.start(t, {}, STREAMED);
    for (const bytes of [
      `{"statusCode":700}${"\0".repeat(8)}body`,
      "x".repeat(70_000),
      '{"statusCode":200}',
    ]) {
      world.answer = async ({ sink }) => {
        await open(sink, HTTP_RESPONSE_TYPE).write(Buffer.from(bytes));
        return { kind: "succeeded", payload: EMPTY };
      };
      assert.deepEqual(statusesIn(await world.ask(get())), [502]);
    }
  });

  test("of a client that reads nothing holds the function up, and lets it go when the client is given up", async (t) => {
    const world = await FrontWorld.start(t, { checkMs: 20, stallMs: 200 }, STREAMED);
    let isHeldUp = false;
    world.answer = async ({ sink }) => {
      const stream = open(sink, undefined);
      for (let piece = 0; piece < 1_000 && !isHeldUp; piece++) {
        const room = stream.write(Buffer.alloc(256 * 1024));
        if (room === undefined) continue;
        isHeldUp = true;
        await room;
      }
      return { kind: "succeeded", payload: EMPTY };
    };
    const socket = world.socket();
    socket.pause();
    socket.write(get());
    await until(() => world.calls.length === 1);
    await until(() => world.gauges().requests === 0);
    assert.ok(isHeldUp);
  });

  test("of HTTP/1.0, which knows no chunks, ends with its connection", async (t) => {
    const world = await FrontWorld.start(t, {}, STREAMED);
    world.answer = async ({ sink }) => {
      await open(sink, undefined).write(Buffer.from("abc"));
      return { kind: "succeeded", payload: EMPTY };
    };
    const text = await world.say(`GET / HTTP/1.0\r\nHost: ${HOST}\r\n\r\n`);
    assert.match(text, /\r\n\r\nabc$/);
  });
});

const SECRET = "hunter2hunter2hunter2hunter2hunter2";
const KEY = "AKIAMILLRACE00000001";

function signedGet(
  role: "invoke" | "read",
  changes: { readonly path?: string } = {},
): readonly [string, object] {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const credential = `${KEY}/${stamp.slice(0, 8)}/eu-west-1/lambda/aws4_request`;
  const bare = { host: HOST, "x-amz-date": stamp };
  const of = (signature: string) =>
    `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${signature}`;
  const request = { method: "GET", url: "/a?b=c", headers: { ...bare, authorization: of("0".repeat(64)) } };
  const claim = readSignatureClaim(request);
  assert.ok(claim !== undefined);
  const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const signature = expectedSignature(request, claim, SECRET, noBody).toString("hex");
  const text = get(changes.path ?? "/a?b=c", [`X-Amz-Date: ${stamp}`, `Authorization: ${of(signature)}`]);
  const caller = { name: "courier", roles: new Set([role]) };
  return [text, { tokens: [], keys: [{ accessKeyId: KEY, secret: SECRET, caller }] }];
}

describe("a route whose callers sign", () => {
  const routes = [routeOf({ authType: "AWS_IAM" })];

  test("lets in who signs with a key that has the role, and tells the function who it was, without the signature", async (t) => {
    const [text, credentials] = signedGet("invoke");
    const world = await FrontWorld.start(t, {}, { routes, credentials: credentials as never });
    assert.deepEqual(statusesIn(await world.ask(text)), [200]);
    const event = JSON.stringify(world.calls[0]?.event);
    assert.match(event, /"iam":\{"accessKey":"AKIAMILLRACE00000001",.*"userId":"courier"\}/);
    assert.doesNotMatch(event, /AWS4-HMAC-SHA256/);
  });

  test("refuses another role, another path than was signed, and no signature, in AWS's words", async (t) => {
    const [text, credentials] = signedGet("invoke");
    const world = await FrontWorld.start(t, {}, { routes, credentials: credentials as never });
    assert.match(
      await world.ask(signedGet("invoke", { path: "/other" })[0]),
      /^HTTP\/1\.1 403[\s\S]*does not match/,
    );
    assert.match(
      await world.ask(get()),
      /^HTTP\/1\.1 403[\s\S]*"Message":"Forbidden\. For troubleshooting Function URL/,
    );
    const readers = await FrontWorld.start(t, {}, { routes, credentials: signedGet("read")[1] as never });
    assert.match(await readers.ask(text), /^HTTP\/1\.1 403[\s\S]*"Message":"Forbidden\./);
    assert.deepEqual([world.calls, readers.calls], [[], []]);
  });
});
