import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import { SmallQueue } from "./small-queue.ts";

function unavailable(): never {
  throw new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "503");
}

function nextMs(queue: SmallQueue): number | undefined {
  const explanation = queue.engine.explain(queue.mapping.uuid);
  return explanation?.kind === "queue" ? explanation.receiving.nextMs : undefined;
}

function failures(queue: SmallQueue): number {
  const explanation = queue.engine.explain(queue.mapping.uuid);
  return explanation?.kind === "queue" ? (explanation.receiving.failures?.count ?? 0) : -1;
}

for (const earlyMs of [0, 0.4, 1.7, 2]) {
  test(`an idle queue that fails for three seconds is received again, with timers ${earlyMs} ms early`, async () => {
    const queue = new SmallQueue();
    queue.clock.earlyMs = earlyMs;
    await queue.clock.advance(45_000);
    queue.receiving = unavailable;
    await queue.clock.advance(23_000);
    queue.receiving = () => {};
    queue.send("m1");
    await queue.clock.advance(60_000);
    assert.deepEqual(queue.left, []);
    assert.equal(failures(queue), 0);
  });
}

test("a retry that is due runs, and none is planned in the past while it does", async () => {
  const queue = new SmallQueue();
  queue.receiving = unavailable;
  await queue.clock.advance(1_000);
  queue.receiving = () => new Promise(() => {});
  await queue.clock.advance(120_000);
  const planned = nextMs(queue);
  assert.ok(planned === undefined || planned > queue.clock.now(), `planned at ${planned}`);
});

test("receives that fail together in one outage count as one failure", async () => {
  const queue = new SmallQueue();
  let failing = Promise.withResolvers<void>();
  queue.receiving = () => failing.promise.then(unavailable);
  // The receives that a mapping begins with find nothing for 15 s.
  await queue.clock.advance(16_000);
  assert.equal(queue.receivesAtOnce, 2);
  failing.resolve();
  failing = Promise.withResolvers<void>();
  await queue.clock.advance(0);
  assert.equal(failures(queue), 1, "two answers, one outage");
  await queue.clock.advance(1_000);
  failing.resolve();
  await queue.clock.advance(0);
  assert.equal(failures(queue), 2, "what was asked after the first failure is another");
});

test("a queue that answers again is asked at once by all receives, whatever one of them waits for", async () => {
  const queue = new SmallQueue();
  const late = Promise.withResolvers<void>();
  let asked = 0;
  queue.receiving = () => (++asked === 1 ? late.promise : unavailable());
  await queue.clock.advance(30_000);
  const before = asked;
  assert.ok(failures(queue) >= 5, `${failures(queue)} failures in a row`);
  queue.receiving = () => {
    asked += 1;
  };
  queue.send("m1");
  late.resolve();
  await queue.clock.advance(10);
  assert.deepEqual(queue.left, []);
  assert.ok(asked > before, "it does not wait for the end of its back-off");
});

for (const outageMs of [30_000, 300_000, 3_600_000]) {
  test(`a queue that was away for ${outageMs / 1_000} s is received again within five seconds of its return`, async () => {
    const queue = new SmallQueue();
    await queue.clock.advance(45_000);
    queue.receiving = unavailable;
    await queue.clock.advance(outageMs);
    queue.receiving = () => {};
    queue.send("m1");
    await queue.clock.advance(5_000);
    assert.deepEqual(queue.left, []);
  });
}

test("a stop during a back-off leaves no timer behind", async () => {
  const queue = new SmallQueue();
  queue.receiving = unavailable;
  await queue.clock.advance(30_000);
  const stopped = queue.engine.stop(5_000);
  await queue.clock.advance(1);
  await stopped;
  assert.equal(queue.clock.pendingCalls, 0);
});
