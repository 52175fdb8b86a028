import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { BodyBytes } from "../../../src/api/body-bytes.ts";
import { readBody } from "../../../src/api/body-reader.ts";

const LIMITS = { totalMax: 100_000, unprovenMax: 50_000 };

function pieces(count: number, size: number): Readable {
  return Readable.from(Array.from({ length: count }, (_, index) => Buffer.alloc(size, index % 256)));
}

test("a body in pieces of one byte holds no more memory than its bytes", async () => {
  const pool = new BodyBytes(LIMITS);
  const body = await readBody(pieces(40_000, 1), undefined, 65_536, pool.open(true));
  assert.equal(body.length, 40_000);
  assert.deepEqual([body[0], body[255], body[39_999]], [0, 255, 39_999 % 256]);
  assert.ok(pool.held <= 80_000, `${pool.held} bytes are held`);
});

test("a body beyond its bound is refused, stated or not", async () => {
  const pool = new BodyBytes(LIMITS);
  const tooLarge = { fault: "RequestTooLargeException" };
  await assert.rejects(readBody(pieces(1, 10), 20_000, 10_000, pool.open(true)), tooLarge);
  await assert.rejects(readBody(pieces(11, 1_000), undefined, 10_000, pool.open(true)), tooLarge);
});

test("a body that is too large is read to its end, so that who still sends it hears why, and none of it is kept", async () => {
  const pool = new BodyBytes(LIMITS);
  const textOf = (bytes: number, most: number) => `${bytes} of ${most}`;
  for (const stated of [30_000, undefined]) {
    const body = pieces(30, 1_000);
    const refused = readBody(body, stated, 10_000, pool.open(true), { textOf });
    await assert.rejects(refused, { fault: "RequestTooLargeException", message: "30000 of 10000" });
    assert.ok(body.readableEnded);
  }
  assert.ok(pool.held <= 20_000, `${pool.held} bytes are held`);
});

test("a body that is larger by far is not waited for", async () => {
  const body = pieces(1, 10);
  const refused = readBody(body, 65 * 1024 * 1024, 10_000, new BodyBytes(LIMITS).open(true));
  await assert.rejects(refused, { fault: "RequestTooLargeException" });
  assert.ok(!body.readableEnded);
});

test("a body that ends before its stated length is refused", async () => {
  const pool = new BodyBytes(LIMITS);
  await assert.rejects(readBody(pieces(1, 10), 11, 10_000, pool.open(true)), { statusCode: 400 });
});

test("bodies together hold no more than there is room for, and give it back", async () => {
  const pool = new BodyBytes(LIMITS);
  const first = pool.open(true);
  await readBody(pieces(60, 1_000), 60_000, 60_000, first);
  const late = pool.open(true);
  await assert.rejects(readBody(pieces(60, 1_000), 60_000, 60_000, late), {
    fault: "TooManyRequestsException",
  });
  late.close();
  first.close();
  first.close();
  assert.equal(pool.held, 0);
});

test("what is proven counts no more among what is not", async () => {
  const pool = new BodyBytes(LIMITS);
  const proven = pool.open(false);
  await readBody(pieces(40, 1_000), 40_000, 40_000, proven);
  proven.prove();
  const next = pool.open(false);
  await readBody(pieces(40, 1_000), 40_000, 40_000, next);
  proven.close();
  next.close();
  assert.equal(pool.held, 0);
});
