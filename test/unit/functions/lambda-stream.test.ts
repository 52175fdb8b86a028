import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { eventMessage } from "../../../src/api/event-stream.ts";
import { outcomeOfStream } from "../../../src/functions/lambda-stream.ts";
import { boundMessages } from "../../../src/functions/message-bound.ts";
import { StreamedAnswer } from "../../../src/functions/streamed-answer.ts";
import type { ResponseHead } from "../../../src/ports/response-sink.ts";
import { createManualClock } from "./manual-clock.ts";

async function comeTo(events: readonly object[], isBroken = false) {
  const heads: ResponseHead[] = [];
  let text = "";
  const sink = {
    open: (head: ResponseHead) => void heads.push(head),
    write(chunk: Uint8Array): undefined {
      text += Buffer.from(chunk).toString();
    },
  };
  const stream = new StreamedAnswer(sink, createManualClock(), "$LATEST");
  async function* told() {
    yield* events;
    if (isBroken) throw new Error("aborted");
  }
  const outcome = await outcomeOfStream({ EventStream: told() as never, $metadata: {} }, stream);
  return { outcome, heads, text };
}

const piece = (text: string) => ({ PayloadChunk: { Payload: Buffer.from(text) } });

test("pieces go on in their order, and the log comes with the end", async () => {
  const LogResult = Buffer.from("END").toString("base64");
  const { outcome, text, heads } = await comeTo([
    piece("one, "),
    piece(""),
    piece("two"),
    { InvokeComplete: { LogResult } },
  ]);
  assert.deepEqual(outcome, { kind: "succeeded", payload: new Uint8Array(0), detail: { logTail: "END" } });
  assert.deepEqual([text, heads], ["one, two", [{ contentType: undefined, executedVersion: "$LATEST" }]]);
});

test("an HTTP response is known by how it begins, and what only looks like one is not", async () => {
  const typeOf = async (first: string) =>
    (await comeTo([piece(first), { InvokeComplete: {} }])).heads[0]?.contentType;
  const HTTP = "application/vnd.awslambda.http-integration-response";
  assert.equal(await typeOf(`{"statusCode":201}${"\0".repeat(8)}body`), HTTP);
  assert.equal(await typeOf('{"statusCode":201}'), undefined);
  assert.equal(await typeOf(`{"statusCode":${"\0".repeat(8)}`), undefined);
  assert.equal(await typeOf(`GIF${"\0".repeat(8)}`), undefined);
});

test("what ends without its end has run and failed, before its first byte or behind it", async () => {
  for (const [events, isBroken] of [
    [[piece("half")], true],
    [[piece("half")], false],
    [[], true],
    [[], false],
  ] as const) {
    const { outcome } = await comeTo(events, isBroken);
    assert.equal(outcome.kind === "functionError" && outcome.errorType, "Function.ConnectionLost");
  }
});

test("an error at its end is told by what its details say, whatever they are", async () => {
  const failed = async (InvokeComplete: object) => {
    const { outcome } = await comeTo([{ InvokeComplete }]);
    return outcome.kind === "functionError" ? [outcome.errorType, outcome.message] : outcome;
  };
  const ErrorDetails = '{"errorType":"StockError","errorMessage":"none left"}';
  assert.deepEqual(await failed({ ErrorCode: "Unhandled", ErrorDetails }), ["StockError", "none left"]);
  assert.deepEqual(await failed({ ErrorCode: "Unhandled", ErrorDetails: "no JSON" }), [
    "Unhandled",
    "no JSON",
  ]);
  assert.deepEqual(await failed({ ErrorCode: "Unhandled" }), [
    "Unhandled",
    "The function gave no error message.",
  ]);
});

test("a message that says more bytes than any may have is refused before memory is made for it", async () => {
  const read = async (bytes: Buffer, pieceBytes: number) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
    const chunks: Buffer[] = [];
    for await (const chunk of boundMessages(Readable.from(pieces))) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const message = eventMessage("PayloadChunk", "application/octet-stream", Buffer.alloc(5_000, 1));
  const whole = Buffer.concat([message, message, eventMessage("InvokeComplete", "a/b", Buffer.from("{}"))]);
  for (const pieceBytes of [1, 3, 4_096, whole.length])
    assert.deepEqual(await read(whole, pieceBytes), whole);
  for (const length of [0xff_ff_ff_ff, 0, 15, 7_000_000]) {
    const odd = Buffer.from(message);
    odd.writeUInt32BE(length, 0);
    await assert.rejects(read(Buffer.concat([message, odd]), 100), /a message of \d+ bytes/);
  }
});
