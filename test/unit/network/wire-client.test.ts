import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { ChunkedBytes, TAKEN_CHUNKS_MAX } from "../../../src/network/chunked-bytes.ts";
import { WireClient } from "../../../src/network/wire-client.ts";
import { isHeaderValue, readWireHead } from "../../../src/network/wire-head.ts";
import { fuzzWire } from "../../fuzz/fuzz-wire.ts";

test("mutated answers in pieces come to what a plain reading of the same bytes says, or to a refusal", () => {
  const { read, refused } = fuzzWire(20_000, 1);
  assert.ok(read > 4_000 && refused > 4_000, `${read} read, ${refused} refused`);
});

const OK = "HTTP/1.1 200 OK";
for (const [what, head] of [
  ["two lengths", `${OK}\r\ncontent-length: 1\r\nContent-Length: 1`],
  ["a length beside chunks", `${OK}\r\ncontent-length: 1\r\ntransfer-encoding: chunked`],
  ["chunks within another coding", `${OK}\r\ntransfer-encoding: gzip, chunked`],
  ["a length that is no number", `${OK}\r\ncontent-length: 0x10`],
  ["a length beyond any", `${OK}\r\ncontent-length: 9999999999999999`],
  ["a bare line feed", `${OK}\r\na: b\nc: d`],
  ["a continued line", `${OK}\r\na: b\r\n c`],
  ["a blank before the colon", `${OK}\r\ncontent-length : 1`],
  ["a line without a colon", `${OK}\r\nabc`],
  ["a zero byte", `${OK}\r\na: b\0`],
  ["another version", "HTTP/2.0 200 OK"],
  ["a status of two digits", "HTTP/1.1 20 OK"],
  ["nothing", ""],
] as const) {
  test(`a head with ${what} is none`, () => assert.equal(readWireHead(head), undefined));
}

for (const [what, head, isKept] of [
  ["of HTTP/1.1", `${OK}\r\ncontent-length: 0`, true],
  ["that says close", `${OK}\r\ncontent-length: 0\r\nconnection: x, Close`, false],
  ["of HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 0", false],
  [
    "of HTTP/1.0 that says keep-alive",
    "HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: Keep-Alive",
    true,
  ],
  ["without a length", OK, false],
] as const) {
  test(`after an answer ${what} the connection is ${isKept ? "kept" : "closed"}`, () =>
    assert.equal(readWireHead(head)?.isKept, isKept));
}

test("no value of a header may end it", () => {
  for (const text of ["a\r\nb: c", "a\nb", "a\0", "\u0100", "a\x7f"])
    assert.equal(isHeaderValue(text), false);
  assert.ok(isHeaderValue("Root=1-2;x=\té"));
});

test("chunks of one byte come as one piece, and no more of them at once than a step may have", () => {
  const chunked = new ChunkedBytes();
  const read = Buffer.from(`${"1\r\nx\r\n".repeat(2_500)}0\r\n\r\nrest`);
  const pieces: number[] = [];
  for (let at = 0; !chunked.hasEnded; at = chunked.at) pieces.push(chunked.take(read, at).length);
  assert.deepEqual(pieces, [TAKEN_CHUNKS_MAX, TAKEN_CHUNKS_MAX, 2_500 - 2 * TAKEN_CHUNKS_MAX]);
  assert.equal(read.subarray(chunked.at).toString(), "rest");
});

test("a piece that was handed on is not written over by the next of the same read", () => {
  const chunked = new ChunkedBytes();
  const read = Buffer.from(`${"2\r\nab\r\n".repeat(TAKEN_CHUNKS_MAX)}${"2\r\ncd\r\n".repeat(3)}0\r\n\r\n`);
  const first = chunked.take(read, 0);
  assert.equal(chunked.take(read, chunked.at).toString(), "cdcdcd");
  assert.equal(first.toString(), "ab".repeat(TAKEN_CHUNKS_MAX));
});

for (const [what, text] of [
  ["a size of nine digits", "000000001\r\nx"],
  ["no size", "\r\n"],
  ["a bare line feed behind a size", "1\nx\r\n"],
  ["more bytes than its size", "1\r\nxy\r\n"],
  ["extensions without end", `1;${"x".repeat(20_000)}`],
  ["trailers without end", `0\r\n${"a: b\r\n".repeat(4_000)}`],
] as const) {
  test(`a chunk with ${what} is malformed`, () => {
    const chunked = new ChunkedBytes();
    chunked.take(Buffer.from(text), 0);
    assert.ok(chunked.isMalformed);
  });
}

class ScriptedSocket extends EventEmitter {
  readonly written: string[] = [];
  isDestroyed = false;
  write(bytes: string | Uint8Array): void {
    this.written.push(Buffer.from(bytes as Uint8Array).toString());
  }
  destroy(): void {
    this.isDestroyed = true;
  }
  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
}

function startClient() {
  const sockets: ScriptedSocket[] = [];
  const client = new WireClient((made) => {
    const socket = new ScriptedSocket();
    sockets.push(socket);
    made(undefined, socket as unknown as Socket);
  });
  const send = (body = "{}") => {
    let end: string | undefined;
    client.send("POST / HTTP/1.1\r\n\r\n", Buffer.from(body), {
      onSending: () => true,
      onHead: () => {},
      onBytes: () => true,
      onComplete: () => {
        end = "complete";
      },
      onError: ({ message }) => {
        end = message;
      },
    });
    return () => end;
  };
  return { client, sockets, send };
}

test("head and body of a request go out in one write, and those of a long one in two", () => {
  const { sockets, send } = startClient();
  send("[1]");
  assert.deepEqual(sockets[0]?.written, ["POST / HTTP/1.1\r\n\r\n[1]"]);
  sockets[0]?.emit("data", Buffer.from(`${OK}\r\ncontent-length: 0\r\n\r\n`));
  send("x".repeat(20_000));
  assert.equal(sockets[0]?.written.length, 3);
});

test("a connection on which more comes than was asked for carries no other request", () => {
  const { sockets, send } = startClient();
  const first = send();
  sockets[0]?.emit("data", Buffer.from(`${OK}\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK`));
  assert.equal(first(), "complete");
  assert.ok(sockets[0]?.isDestroyed);
  const second = send();
  assert.equal(sockets.length, 2);
  sockets[1]?.emit("data", Buffer.from(`${OK}\r\ncontent-length: 0\r\n\r\n`));
  assert.equal(second(), "complete");
  sockets[1]?.emit("data", Buffer.from(`${OK}\r\ncontent-length: 0\r\n\r\n`));
  assert.ok(sockets[1]?.isDestroyed);
});

for (const [what, header, seconds] of [
  ["four seconds", "x: y", 4],
  ["two seconds less than its server says", "keep-alive: timeout=12", 10],
] as const) {
  test(`a connection that is idle for ${what} is closed`, () => {
    const { client, sockets, send } = startClient();
    send();
    for (let second = 0; second < 20; second++) client.onSecond();
    sockets[0]?.emit("data", Buffer.from(`${OK}\r\n${header}\r\ncontent-length: 0\r\n\r\n`));
    for (let second = 1; second < seconds; second++) client.onSecond();
    assert.equal(sockets[0]?.isDestroyed, false);
    client.onSecond();
    assert.equal(sockets[0]?.isDestroyed, true);
  });
}

test("a connection whose server closes it at once carries one request", () => {
  const { sockets, send } = startClient();
  const end = send();
  sockets[0]?.emit("data", Buffer.from(`${OK}\r\nkeep-alive: timeout=2\r\ncontent-length: 0\r\n\r\n`));
  assert.equal(end(), "complete");
  assert.ok(sockets[0]?.isDestroyed);
});

test("a request that is under way is told that its connection was closed, and a second is refused", () => {
  const { client, send } = startClient();
  const end = send();
  assert.throws(() => send(), /one request at a time/);
  client.close();
  assert.equal(end(), "The connection is closed.");
  assert.equal(send()(), "The connection is closed.");
});
