import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamedAnswer } from "../../../src/functions/streamed-answer.ts";
import type { ResponseHead, ResponseSink } from "../../../src/ports/response-sink.ts";
import { createManualClock } from "./manual-clock.ts";

const MB = 1024 * 1024;
const PIECE = new Uint8Array(MB);

class CountingSink implements ResponseSink {
  readonly heads: ResponseHead[] = [];
  bytes = 0;
  /** What the next write returns. */
  taken: Promise<void> | undefined;

  open(head: ResponseHead): void {
    this.heads.push(head);
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    this.bytes += chunk.length;
    return this.taken;
  }
}

function startAnswer() {
  const [clock, sink] = [createManualClock(), new CountingSink()];
  return { clock, sink, answer: new StreamedAnswer(sink, clock, "7") };
}

/** `true`: it has resolved by the end of this turn. */
async function isSettled(wait: Promise<void>): Promise<boolean> {
  const late = new Promise<string>((resolve) => setImmediate(() => resolve("late")));
  return (await Promise.race([wait, late])) !== "late";
}

test("the sink hears the type and the version, and bytes as they are", () => {
  const { sink, answer } = startAnswer();
  assert.equal(answer.isOpen, false);
  assert.equal(answer.open("text/plain"), true);
  assert.equal(answer.write(PIECE), undefined);
  assert.deepEqual(sink.heads, [{ contentType: "text/plain", executedVersion: "7" }]);
  assert.deepEqual([answer.isOpen, sink.bytes], [true, MB]);
});

test("six mebibytes go at once, and the rest at two each second", async () => {
  const { clock, answer } = startAnswer();
  answer.open(undefined);
  for (let piece = 0; piece < 6; piece++) assert.equal(answer.write(PIECE), undefined);
  for (let piece = 0; piece < 3; piece++) {
    const wait = answer.write(PIECE);
    assert.ok(wait !== undefined);
    clock.advance(499);
    assert.equal(await isSettled(wait), false);
    clock.advance(1);
    assert.equal(await isSettled(wait), true);
  }
  clock.advance(60_000);
  for (let piece = 0; piece < 6; piece++) assert.equal(answer.write(PIECE), undefined);
  assert.ok(answer.write(PIECE) !== undefined, "a pause is no more than six again");
});

test("it ends at 200 mebibytes, whatever is still written", () => {
  const { clock, sink, answer } = startAnswer();
  answer.open(undefined);
  const piece = new Uint8Array(3 * MB);
  for (let pieces = 0; pieces < 66; pieces++) {
    clock.advance(2_000);
    void answer.write(piece);
  }
  assert.deepEqual([answer.isFull, sink.bytes], [false, 198 * MB]);
  clock.advance(2_000);
  void answer.write(piece);
  void answer.write(piece);
  assert.deepEqual([answer.isFull, sink.bytes], [true, 200 * MB]);
});

test("whoever takes the bytes slowly holds up the function", async () => {
  const { sink, answer } = startAnswer();
  answer.open(undefined);
  let take = () => {};
  sink.taken = new Promise<void>((resolve) => {
    take = resolve;
  });
  const wait = answer.write(PIECE);
  assert.ok(wait !== undefined);
  assert.equal(await isSettled(wait), false);
  take();
  assert.equal(await isSettled(wait), true);
});

test("behind the outcome nothing goes on, nobody is held up, and no timer is left", async () => {
  const { clock, sink, answer } = startAnswer();
  answer.open(undefined);
  sink.taken = new Promise(() => {});
  const wait = answer.write(PIECE);
  assert.ok(wait !== undefined);
  answer.close();
  assert.equal(await isSettled(wait), true);
  assert.equal(answer.write(PIECE), undefined);
  assert.equal(sink.bytes, MB);
  const { clock: other, answer: paced } = startAnswer();
  paced.open(undefined);
  void paced.write(new Uint8Array(7 * MB));
  await new Promise(setImmediate);
  paced.close();
  assert.deepEqual([clock.scheduledCalls, other.scheduledCalls], [0, 0]);
  const { answer: unopened } = startAnswer();
  unopened.close();
  assert.equal(unopened.open(undefined), false);
});
