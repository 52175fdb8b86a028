import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOK_MS } from "../../../src/control/reconciler.ts";
import type { ManifestOwner } from "../../../src/resources/owner.ts";
import { ControlWorld, functionNamed, STREAM_SPEC } from "./control-world.ts";

const SHOP: ManifestOwner = { kind: "manifest", set: "shop" };

test("a change that one process applies at its start reaches the others within a look", async () => {
  const world = new ControlWorld();
  const a = await world.start("a", started(SHOP, 3));
  await world.start("b", started(SHOP, 9));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(timeoutsOf(a), [9]);
});

test("an old process that starts again reverts nothing that a higher revision applied", async () => {
  const world = new ControlWorld();
  await world.start("new", started({ ...SHOP, revision: 8 }, 9));
  const old = await world.start("old", started({ ...SHOP, revision: 7 }, 3));
  assert.deepEqual(timeoutsOf(old), [9]);
  assert.ok(world.logged.some((line) => line.startsWith("a newer revision of these manifests was applied")));
});

test("a process whose manifests say another thing under the same revision applies them, and warns", async () => {
  const world = new ControlWorld();
  const owner = { ...SHOP, revision: 8 };
  const a = await world.start("a", started(owner, 3));
  await world.start("b", started(owner, 9));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(timeoutsOf(a), [9]);
  const warnings = world.logged.filter((line) =>
    line.startsWith("this revision of the manifests was applied"),
  );
  assert.equal(warnings.length, 1);
});

test("a process with another set of manifests leaves the first one's function as it is, and says whose it is", async () => {
  const world = new ControlWorld();
  const a = await world.start("a", started(SHOP, 3));
  const b = await world.start("b", started({ kind: "manifest", set: "depot" }, 9));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual([timeoutsOf(a), timeoutsOf(b)], [[3], [3]]);
  const told = world.logged.find((line) => line.startsWith("the function orders is declared by"));
  assert.match(told ?? "", /by the manifest set shop, and stays as it is: .*--manifest-set/);
});

test("a mapping of the API restarts when its function's time-out changes, and not when its concurrency does", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a", started(SHOP, 3));
  await plane.mappings.create(STREAM_SPEC, true, {});
  await world.quiet();
  world.log.length = 0;
  await plane.reload({
    functions: [{ ...functionNamed("orders"), concurrency: 7, isReserved: true }],
    mappings: [],
  });
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(world.log, []);
  await plane.reload({ functions: [{ ...functionNamed("orders"), timeoutMs: 9_000 }], mappings: [] });
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(world.log.length, 2, world.log.join());
});

function started(owner: ManifestOwner, timeoutSeconds: number) {
  const functions = [{ ...functionNamed("orders"), timeoutMs: timeoutSeconds * 1000 }];
  return { owner, manifests: { functions, mappings: [] } };
}

function timeoutsOf({ plane }: Awaited<ReturnType<ControlWorld["start"]>>): readonly number[] {
  return plane.functions.map(({ timeoutMs }) => timeoutMs / 1000);
}
