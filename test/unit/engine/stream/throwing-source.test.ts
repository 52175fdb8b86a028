import assert from "node:assert/strict";
import { test } from "node:test";
import { SmallWorld } from "./small-world.ts";

for (const what of ["filterDocument", "encode"] as const) {
  for (const [where, bad] of [
    ["in the middle of a batch", ["3"]],
    ["first and last", ["1", "5"]],
    ["beside another", ["2", "3"]],
    ["all of them", ["1", "2", "3", "4", "5"]],
  ] as const) {
    test(`a record whose ${what} throws, ${where}, goes to the destination alone; its neighbours are run`, async () => {
      const world = new SmallWorld({
        batchSize: 10,
        onFailureDestination: "file:x",
        filterPatterns: ['{"partitionKey":[{"exists":true}]}'],
      });
      world.throwing.set(what, bad);
      world.append("s1", {}, {}, {}, {}, {});
      world.start();
      await world.clock.advance(1_000);
      const run = world.positions().flat();
      const good = [1, 2, 3, 4, 5].filter((position) => !bad.some((each) => each === String(position)));
      assert.deepEqual(run, good);
      assert.deepEqual(
        world.delivered.map(({ batch }) => [batch.records?.startPosition, batch.records?.count]),
        bad.map((position) => [position, 1]),
      );
      const told = world.logs.filter(({ level }) => level === "error");
      assert.equal(told.length, bad.length);
      for (const { fields } of told)
        assert.match(String(fields["reason"]), /^its source cannot .* \(TypeError\)$/);
      assert.doesNotMatch(JSON.stringify(world.logs), /secret/);
      assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "5" });
    });
  }
}

test("a source whose encode throws for every record of a shard stops no other shard", async () => {
  const world = new SmallWorld({ batchSize: 2, onFailureDestination: "file:x" });
  world.throwing.set("encode", ["1", "2", "3"]);
  world.append("s1", {}, {}, {}, {});
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions().flat(), [4]);
  world.append("s1", {});
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions().flat(), [4, 5]);
});

test("a name that throws costs a record its name, not its place in the failure record", async () => {
  const world = new SmallWorld({ retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.itemIdentifier = () => {
    throw new TypeError("no name");
  };
  world.handler = async () => ({ kind: "functionError", errorType: "Error", message: "no" });
  world.append("s1", {}, {});
  world.start();
  await world.clock.advance(60_000);
  assert.deepEqual(
    world.delivered.map(({ batch }) => [batch.records?.startPosition, batch.records?.endPosition]),
    [["1", "2"]],
  );
});

for (const bad of [["2"], ["1", "3"], ["1", "2", "3"]]) {
  test(`records that grew too old beside ${bad.length} of 3 that cannot be encoded reach the destination whole`, async () => {
    const world = new SmallWorld({
      batchSize: 10,
      recordAgeMsMax: 60_000,
      onFailureDestination: "file:x",
    });
    world.throwing.set("encode", bad);
    world.append("s1", { arrivalMs: -60_000 }, { arrivalMs: -60_000 }, { arrivalMs: -60_000 });
    world.start();
    await world.clock.advance(1_000);
    assert.deepEqual(world.positions(), []);
    const payloads = world.delivered.map(
      ({ payload }) => JSON.parse(Buffer.from(payload ?? "").toString()).p,
    );
    assert.deepEqual(
      payloads.flat(),
      [1, 2, 3].filter((position) => !bad.includes(String(position))),
    );
    assert.deepEqual(
      world.delivered.map(({ batch }) => batch.records?.count),
      [3],
    );
  });
}
