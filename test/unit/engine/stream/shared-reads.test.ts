import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SETTINGS } from "../../../../src/engine/settings.ts";
import type { ShardRead } from "../../../../src/ports/stream-source.ts";
import { createQuietEngine } from "../../../fixtures/quiet-engine.ts";
import { ManualClock, SmallWorld } from "./small-world.ts";

const SHARDS = 1_000;

/** How many of a thousand shards that have nothing to give are under way, with 64 reads at once. */
async function readsUnderWay(sharesReads: boolean): Promise<number> {
  const world = new SmallWorld({});
  world.shards = Array.from({ length: SHARDS }, (_, index) => ({
    ...{ shardId: `s${index}`, parentShardIds: [], closed: false },
  }));
  const deployment = world.deployment();
  let underWay = 0;
  const clock = new ManualClock();
  const engine = createQuietEngine({ clock, settings: { ...DEFAULT_SETTINGS, concurrentReads: 64 } });
  engine.start({
    ...deployment,
    source: {
      ...deployment.source,
      description: { ...deployment.source.description, ...(sharesReads ? { sharesReads } : {}) },
      openReader: async () => ({
        read: () => {
          underWay++;
          return new Promise<ShardRead>(() => {});
        },
        close: async () => {},
      }),
    },
  });
  for (let turn = 0; turn < 5; turn++) await clock.advance(1);
  return underWay;
}

test("where a source shares its reads a thousand shards wait for records at once, elsewhere as many as may", async () => {
  assert.equal(await readsUnderWay(true), SHARDS);
  assert.equal(await readsUnderWay(false), 64);
});
