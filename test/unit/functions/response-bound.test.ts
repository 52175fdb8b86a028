import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import { boundResponse, isOversized } from "../../../src/functions/response-bound.ts";
import { STEP_ITEMS_MAX, turn } from "../../../src/lib/steps.ts";
import { RESPONSE_BYTES_MAX } from "../../../src/model/limits.ts";

/** What the SDK reads of a body that comes in these pieces. */
async function bodyOf(pieces: Iterable<Uint8Array>): Promise<Readable> {
  const body = Readable.from(pieces, { objectMode: false, highWaterMark: 2_000_000 });
  const handler = { handle: async () => ({ response: { body, headers: {} } }) };
  const { response } = await boundResponse(handler as unknown as NodeHttpHandler).handle({} as never);
  return response.body;
}

function* repeated(piece: Buffer, times: number): Generator<Buffer> {
  for (let time = 0; time < times; time++) yield piece;
}

test("an answer in pieces of one byte is read in few large ones, and no turn takes more than a step may have", async () => {
  const size = 100_000;
  let itemsMax = 0;
  const stop = turn.watch((_bytes, items) => {
    itemsMax = Math.max(itemsMax, items);
  });
  const read: Buffer[] = [];
  for await (const chunk of await bodyOf(repeated(Buffer.from("7"), size))) read.push(chunk);
  stop();
  assert.equal(Buffer.concat(read).toString(), "7".repeat(size));
  assert.ok(read.length <= 2, `${read.length} pieces`);
  assert.ok(itemsMax > 0 && itemsMax <= STEP_ITEMS_MAX, `${itemsMax} pieces in a turn`);
});

test("an answer in pieces of all sizes is read as it was sent", async () => {
  const sizes = [1, 65_536, 3, 70_000, 65_535, 1, 1, 200_000, 2];
  const pieces = sizes.map((size, index) => Buffer.alloc(size, index + 1));
  assert.deepEqual(await buffer(await bodyOf(pieces)), Buffer.concat(pieces));
});

test("an answer that goes on behind the largest one ends with a fault, whatever its pieces are", async () => {
  for (const piece of [Buffer.alloc(100_000), Buffer.alloc(1_000)]) {
    const times = Math.ceil((RESPONSE_BYTES_MAX + 200_000) / piece.length);
    await assert.rejects(buffer(await bodyOf(repeated(piece, times))), isOversized);
  }
});
