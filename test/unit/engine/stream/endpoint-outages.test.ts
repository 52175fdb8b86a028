import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import { SmallWorld } from "./small-world.ts";

class Away extends MillraceError {
  readonly endpoint: string | undefined;

  constructor(endpoint: string | undefined) {
    super("ERR_MILLRACE_SOURCE_UNAVAILABLE", "connecting failed");
    this.endpoint = endpoint;
  }
}

function worldOf(shards: number): SmallWorld {
  const world = new SmallWorld({ batchSize: 10 });
  world.shards = Array.from({ length: shards }, (_, index) => ({
    ...{ shardId: `s${index}`, parentShardIds: [], closed: false },
  }));
  for (const { shardId } of world.shards) world.append(shardId, {});
  return world;
}

test("an endpoint that is away for minutes is one line for all of its shards, and all are read within seconds of its return", async () => {
  const world = worldOf(50);
  world.readFailure = new Away("broker:9092");
  world.start();
  await world.clock.advance(180_000);
  const warnings = world.logs.filter(({ level }) => level === "warn");
  assert.deepEqual(
    warnings.map(({ fields }) => fields["endpoint"]),
    ["broker:9092"],
  );
  world.readFailure = undefined;
  await world.clock.advance(6_000);
  assert.equal(world.calls.length, 50);
});

test("fifty shards that each fail for themselves write a few lines a minute", async () => {
  const world = worldOf(50);
  world.readFailure = new Away(undefined);
  world.start();
  await world.clock.advance(60_000);
  const warnings = world.logs.filter(({ level }) => level === "warn");
  assert.ok(warnings.length >= 3 && warnings.length <= 6, String(warnings.length));
  world.readFailure = undefined;
  await world.clock.advance(6_000);
  assert.equal(world.calls.length, 50);
});

test("the cause of an error names the endpoint as well", async () => {
  const world = worldOf(20);
  world.readFailure = new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "not read", {
    cause: new Away("kinesis:443"),
  });
  world.start();
  await world.clock.advance(30_000);
  assert.deepEqual(
    world.logs.filter(({ level }) => level === "warn").map(({ fields }) => fields["endpoint"]),
    ["kinesis:443"],
  );
});
