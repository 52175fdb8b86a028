import assert from "node:assert/strict";
import { test } from "node:test";
import { SmallWorld } from "./small-world.ts";

for (const [where, inputs, expected] of [
  ["in the middle of a batch", ["", "bad", "", ""], [[1], [3, 4]]],
  ["first and last", ["bad", "", "bad"], [[2]]],
  ["alone", ["bad"], []],
  ["beside another", ["", "bad", "bad", ""], [[1], [4]]],
] as const) {
  test(`a record that no function can have, ${where}, goes to the destination alone; its neighbours are run`, async () => {
    const world = new SmallWorld({ batchSize: 10, onFailureDestination: "file:x" });
    world.append("s1", ...inputs.map((damage) => (damage === "" ? {} : { damage: "it is too large" })));
    world.start();
    await world.clock.advance(1_000);
    assert.deepEqual(world.positions(), expected);
    const bad = inputs.flatMap((damage, index) => (damage === "" ? [] : [String(index + 1)]));
    assert.deepEqual(
      world.delivered.map(({ condition, batch }) => [
        condition,
        batch.records?.startPosition,
        batch.records?.count,
      ]),
      bad.map((position) => ["MaximumPayloadSizeExceeded", position, 1]),
    );
    const told = world.logs.filter(({ level }) => level === "error");
    assert.deepEqual(
      told.map(({ fields }) => fields["reason"]),
      bad.map(() => "it is too large"),
    );
    assert.deepEqual((await world.checkpointOf("s1"))?.resume, {
      kind: "after",
      position: String(inputs.length),
    });
  });
}

test("what a filter would say of a record that cannot be read does not hide it", async () => {
  const world = new SmallWorld({
    filterPatterns: ['{"partitionKey":["wanted"]}'],
    onFailureDestination: "file:x",
  });
  world.append("s1", { key: "other" }, { key: "other", damage: "it cannot be read" }, { key: "wanted" });
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[3]]);
  assert.equal(world.delivered.length, 1);
});
