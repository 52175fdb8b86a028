import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SETTINGS } from "../../../../src/engine/settings.ts";
import { SmallWorld } from "./small-world.ts";

test("leases are kept while the source takes minutes to list its shards", async () => {
  const world = new SmallWorld();
  world.start();
  await world.clock.advance(1_000);
  const [before] = await world.store.list(world.mapping.uuid);
  assert.notEqual(before?.owner, undefined);

  const listing = Promise.withResolvers<readonly []>();
  world.listing = () => listing.promise;
  await world.clock.advance(DEFAULT_SETTINGS.discoveryIntervalMs + 2 * 60_000);
  const [after] = await world.store.list(world.mapping.uuid);

  const renewals = (after?.counter ?? 0) - (before?.counter ?? 0);
  assert.ok(renewals >= 2 * 60 - 2, `${renewals} renewals in two minutes`);
  world.append("s1", {});
  await world.clock.advance(100);
  assert.equal(world.calls.length, 1, "records are processed under them");
});
