import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonsOf } from "../../../../src/engine/engine.ts";
import { InvokerBook } from "../../../../src/invocation/invoker-book.ts";
import { ManualClock, SILENT_TELEMETRY } from "../stream/small-world.ts";
import { ids, SmallQueue } from "./small-queue.ts";

function createQueue(concurrency: number, mapping: ConstructorParameters<typeof SmallQueue>[0] = {}) {
  const clock = new ManualClock();
  const invokers = new InvokerBook(clock, SILENT_TELEMETRY);
  const queue = new SmallQueue(mapping, { clock, invokers, concurrency });
  const reasons = () => {
    const explanation = queue.engine.explain(queue.mapping.uuid);
    const parts = explanation === undefined ? [] : reasonsOf(explanation, clock.now());
    return parts.map(({ holdsWork, reasons: why }) => [holdsWork, ...new Set(why.map(({ code }) => code))]);
  };
  const reserve = (places: number) => void invokers.replace(queue.fn(places));
  return { queue, clock, reasons, reserve };
}

test("nothing is received for a function whose concurrency is 0, and what waits is run once it may", async () => {
  const { queue, clock, reasons, reserve } = createQueue(0);
  for (const id of ids("m", 20)) queue.send(id);
  await clock.advance(600_000);
  assert.deepEqual(
    ids("m", 20).map((id) => queue.receiveCount(id)),
    ids("m", 20).map(() => 0),
  );
  assert.deepEqual(reasons(), [[true, "zeroConcurrency"]]);
  assert.equal(queue.engine.status()[0]?.lastProcessingResult, "PROBLEM: Function call failed");
  reserve(5);
  await clock.advance(5_000);
  assert.equal(queue.seen.size, 20);
  assert.equal(queue.engine.status()[0]?.lastProcessingResult, "OK");
});

test("messages in hand when the function is shut go back when their holds end, and run once it is open again", async () => {
  const { queue, clock, reasons, reserve } = createQueue(1, { batchSize: 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  queue.handler = async () => {
    await promise;
    return { kind: "succeeded", payload: Buffer.from("null") };
  };
  for (const id of ids("m", 4)) queue.send(id);
  await clock.advance(1_000);
  assert.equal(queue.calls.length, 1);
  reserve(0);
  await clock.advance(1_000);
  assert.deepEqual(reasons()[0]?.slice(1).includes("zeroConcurrency"), true);
  resolve();
  await clock.advance(300_000);
  assert.deepEqual([queue.calls.length, queue.left.length], [1, 3]);
  reserve(1);
  await clock.advance(120_000);
  assert.deepEqual([queue.seen.size, queue.left.length], [4, 0]);
});
