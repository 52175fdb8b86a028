import assert from "node:assert/strict";
import { test } from "node:test";
import { readRequestHead } from "../../../../src/functions/runtime/request-head.ts";

const NEXT = "GET /2018-06-01/runtime/invocation/next HTTP/1.1";

test("a head is read with its body's length, its path without a query, and the first of its headers", () => {
  const head = readRequestHead("POST /a?b=c HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nContent-Length:  12 ");
  assert.ok(!("faultStatus" in head));
  assert.deepEqual(
    { ...head, headers: [...head.headers] },
    {
      ...{ method: "POST", path: "/a", body: 12, isKept: true, waits: false },
      headers: [
        ["x-a", "1"],
        ["content-length", "12"],
      ],
    },
  );
});

test("HTTP/1.0 and Connection: close are hung up on after the answer, and a body may wait to be asked for", () => {
  const kept = (text: string) => {
    const head = readRequestHead(text);
    return "faultStatus" in head ? head.faultStatus : [head.isKept, head.waits, head.body];
  };
  assert.deepEqual(kept(NEXT), [true, false, 0]);
  assert.deepEqual(kept("GET / HTTP/1.0"), [false, false, 0]);
  assert.deepEqual(kept(`${NEXT}\r\nConnection: Close`), [false, false, 0]);
  assert.deepEqual(kept(`${NEXT}\r\nTransfer-Encoding: Chunked\r\nExpect: 100-continue`), [
    true,
    true,
    "chunked",
  ]);
});

const REFUSED: readonly (readonly [name: string, head: string, status: number])[] = [
  ["nothing", "", 400],
  ["another version", "GET / HTTP/2.0", 400],
  ["two spaces", "GET  / HTTP/1.1", 400],
  ["a method in lower case", "get / HTTP/1.1", 400],
  ["a space before the colon", `${NEXT}\r\nHost : a`, 400],
  ["a header on two lines", `${NEXT}\r\nA: 1\r\n 2`, 400],
  ["a bare line feed", `${NEXT}\r\nA: 1\nB: 2`, 400],
  ["a bare carriage return", `${NEXT}\r\nA: 1\rB: 2`, 400],
  ["a NUL", `${NEXT}\r\nA: 1\0`, 400],
  ["a header without a name", `${NEXT}\r\n: 1`, 400],
  ["two lengths", `${NEXT}\r\nContent-Length: 1\r\nContent-Length: 1`, 400],
  ["a length and chunks", `${NEXT}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked`, 400],
  ["a length with a sign", `${NEXT}\r\nContent-Length: +1`, 400],
  ["a length of two", `${NEXT}\r\nContent-Length: 1, 1`, 400],
  ["a length beyond all numbers", `${NEXT}\r\nContent-Length: 9999999999999999`, 400],
  ["chunks of HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked", 400],
  ["a coding beside chunks", `${NEXT}\r\nTransfer-Encoding: gzip, chunked`, 501],
  ["an unknown coding", `${NEXT}\r\nTransfer-Encoding: xchunked`, 501],
  ["another expectation", `${NEXT}\r\nExpect: tea`, 417],
  ["101 headers", `${NEXT}${"\r\nA: 1".repeat(101)}`, 400],
];

for (const [name, head, status] of REFUSED) {
  test(`a head with ${name} is refused with ${status}`, () => {
    assert.deepEqual(readRequestHead(head), { faultStatus: status });
  });
}
