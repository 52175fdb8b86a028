import assert from "node:assert/strict";
import { test } from "node:test";
import { SmallQueue } from "./small-queue.ts";

const TIMEOUT = { functionTimeoutMs: 5_000 };

for (const [change, visibilityMs] of [
  ["raised", 120_000],
  ["lowered", 10_000],
] as const) {
  test(`a visibility time-out that is ${change} while a mapping runs is what its next receives and holds ask for`, async () => {
    const queue = new SmallQueue({}, { visibilityMs: 40_000, ...TIMEOUT });
    await queue.clock.advance(1_000);
    assert.equal(queue.holdsMs.at(-1), 40_000);
    queue.visibilityMs = visibilityMs;
    await queue.clock.advance(45_000);
    assert.equal(queue.holdsMs.at(-1), visibilityMs);
    const told = queue.logs.filter(({ message }) => message.startsWith("the queue's visibility time-out"));
    assert.deepEqual(
      told.map(({ fields }) => [fields["beforeMs"], fields["visibilityMs"]]),
      [[40_000, visibilityMs]],
    );
  });
}

test("a visibility time-out below the function's is told, and its messages are held for as long as the function may take", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 40_000, receivesMax: 1, ...TIMEOUT });
  await queue.clock.advance(1_000);
  queue.visibilityMs = 0;
  await queue.clock.advance(45_000);
  queue.handler = async () => {
    await new Promise<void>((resolve) => queue.clock.schedule(4_500, resolve));
    return { kind: "succeeded", payload: new Uint8Array() };
  };
  queue.send("m1");
  await queue.clock.advance(10_000);
  assert.equal(queue.holdsMs.at(-1), 5_000);
  assert.deepEqual([queue.dead, queue.left, queue.calls.length], [[], [], 1]);
  assert.ok(queue.logs.some(({ message }) => message.includes("shorter than the function's timeoutSeconds")));
});

test("messages in hand keep their holds when the time-out is lowered, and end by the new one when they are prolonged", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 40_000, receivesMax: 1, ...TIMEOUT });
  const ending = Promise.withResolvers<void>();
  queue.handler = async () => {
    await ending.promise;
    return { kind: "succeeded", payload: new Uint8Array() };
  };
  queue.send("m1");
  await queue.clock.advance(1_000);
  queue.visibilityMs = 6_000;
  await queue.clock.advance(90_000);
  ending.resolve();
  await queue.clock.advance(1_000);
  assert.deepEqual([queue.dead, queue.left, queue.calls.length], [[], [], 1]);
});
