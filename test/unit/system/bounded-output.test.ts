import assert from "node:assert/strict";
import { test } from "node:test";
import { BoundedOutput, type OutputTarget } from "../../../src/system/bounded-output.ts";

/** A reader that takes what it is told to. */
function createReader() {
  const waiting: string[] = [];
  let onDrain = () => {};
  const read: string[] = [];
  const reader = {
    isReading: true,
    get writableLength() {
      return waiting.reduce((sum, text) => sum + text.length, 0);
    },
    write(text: string) {
      waiting.push(text);
      if (reader.isReading) read.push(...waiting.splice(0));
    },
    on: (_event: "drain", listener: () => void) => {
      onDrain = listener;
    },
    goOn() {
      reader.isReading = true;
      read.push(...waiting.splice(0));
      onDrain();
    },
  } satisfies OutputTarget & Record<string, unknown>;
  return { reader, read };
}

function createOutput(target: OutputTarget, bytesMax = 100) {
  return new BoundedOutput({ target, bytesMax, notice: (dropped) => `dropped ${dropped}` });
}

test("hands on what it gets while somebody reads, however much that is", () => {
  const { reader, read } = createReader();
  const output = createOutput(reader);
  for (let line = 0; line < 50; line++) output.write("x".repeat(60));
  output.write("y".repeat(1000));
  assert.deepEqual([read.length, output.dropped], [51, 0]);
});

test("keeps a bounded amount for a reader that stands still, drops the rest, and says so when it goes on", () => {
  const { reader, read } = createReader();
  const output = createOutput(reader);
  reader.isReading = false;
  for (let line = 0; line < 10_000; line++) output.write(`line ${line} `.padEnd(20));
  assert(reader.writableLength <= 100);
  assert.deepEqual([read, output.dropped], [[], 9_995]);
  reader.goOn();
  output.write("after");
  assert.deepEqual(read.slice(-3), ["line 4".padEnd(20), "dropped 9995", "after"]);
});

test("a line that is longer than all that may wait is written when nothing waits", () => {
  const { reader, read } = createReader();
  const output = createOutput(reader);
  assert.equal(output.write("x".repeat(500)), true);
  reader.isReading = false;
  output.write("waits");
  assert.equal(output.write("x".repeat(500)), false);
  reader.goOn();
  assert.deepEqual(
    read.map((text) => text.length),
    [500, 5, "dropped 1".length],
  );
});
