import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamRecord } from "../../../../src/model/record.ts";
import { answered, FAILED, SmallWorld, SUCCEEDED } from "./small-world.ts";

/** Records 1 and 2 are `a`, 3 and 4 are `b`, and so on, as the records of an aggregate share its sequence number. */
function pairs({ position }: StreamRecord): string {
  return String.fromCharCode(97 + Math.floor((Number(position) - 1) / 2));
}

test("a partial response names records by their identifier; of several that share it, the first is meant", async () => {
  const world = new SmallWorld({ batchSize: 6, reportBatchItemFailures: true });
  world.itemIdentifier = pairs;
  world.appendMany("s1", 6);
  let isFirst = true;
  world.handler = () => {
    const answer = isFirst ? answered({ batchItemFailures: [{ itemIdentifier: "b" }] }) : SUCCEEDED;
    isFirst = false;
    return answer;
  };
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [
    [1, 2, 3, 4, 5, 6],
    [3, 4, 5, 6],
  ]);
});

test("a failure record shows identifiers, and is one by its positions", async () => {
  const world = new SmallWorld({ batchSize: 1, retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.itemIdentifier = pairs;
  world.appendMany("s1", 2);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(
    world.delivered.map(({ batch }) => [batch.records?.startPosition, batch.records?.endPosition]),
    [
      ["a", "a"],
      ["a", "a"],
    ],
  );
  assert.equal(new Set(world.delivered.map(({ id }) => id)).size, 2);
});
