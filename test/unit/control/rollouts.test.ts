import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOK_MS } from "../../../src/control/reconciler.ts";
import type { ControlProcess } from "./control-world.ts";
import { ControlWorld, functionNamed, PLACE } from "./control-world.ts";

const MINUTE_MS = 60_000;
const ARN = `arn:aws:lambda:${PLACE.region}:${PLACE.account}:function:orders:live`;
const ROLLOUT = {
  type: "Canary10Percent5Minutes",
  minimumInvocations: 20,
  requireTraffic: false,
} as const;

function declared(version: string, rollout?: typeof ROLLOUT) {
  const alias = {
    version,
    weights: new Map<string, number>(),
    ...(rollout === undefined ? {} : { rollout }),
  };
  const fn = { ...functionNamed("orders", ["1", "2", "3"]), aliases: new Map([["live", alias]]) };
  return { functions: [fn], mappings: [] };
}

let calls = 0;

/** How many of 1,000 calls, whose ids are spread evenly, each version gets. */
async function sharesOf({ plane }: ControlProcess, times = 1_000): Promise<Record<string, number>> {
  const shares: Record<string, number> = {};
  for (let call = 0; call < times; call++) {
    const head = Math.floor((call / times) * 2 ** 32);
    const result = await plane.door.invoke({
      caller: { kind: "api", key: "(Invoke)" },
      requestId: `${head.toString(16).padStart(8, "0")}-${calls++}`,
      functionArn: ARN,
      payload: () => new Uint8Array(),
      mayStart: () => true,
      signal: new AbortController().signal,
    });
    const version = "executedVersion" in result ? String(result.executedVersion) : result.kind;
    shares[version] = (shares[version] ?? 0) + 1;
  }
  return shares;
}

test("an alias that a manifest points at a new version with a rollout gets there in steps", async () => {
  const world = new ControlWorld();
  const a = await world.start("a", { manifests: declared("1") });
  await a.plane.reload(declared("2", ROLLOUT));
  assert.deepEqual(await sharesOf(a), { 1: 1_000 });
  await world.pass(3 * LOOK_MS);
  assert.deepEqual(await sharesOf(a), { 1: 899, 2: 101 });
  // A minute without calls, and one with them.
  for (let seconds = 0; seconds < 310; seconds += 5) {
    await sharesOf(a, 20);
    await world.pass(5 * LOOK_MS);
  }
  assert.deepEqual(await sharesOf(a), { 2: 1_000 });
  const [rollout] = await a.plane.rollouts.list();
  assert.deepEqual([rollout?.status, rollout?.from, rollout?.to], ["Succeeded", "1", "2"]);
});

test("a version that fails goes back, stays away over a restart, and the next version that is declared begins anew", async () => {
  const world = new ControlWorld();
  const a = await world.start("a", { manifests: declared("1") });
  await a.plane.reload(declared("2", ROLLOUT));
  await world.pass(3 * LOOK_MS);
  world.outcome = { kind: "functionError", errorType: "Error", message: "broken" };
  await sharesOf(a);
  await world.pass(10 * LOOK_MS);
  assert.deepEqual(await sharesOf(a), { 1: 1_000 });
  const [rollout] = await a.plane.rollouts.list();
  assert.deepEqual([rollout?.status, rollout?.share], ["Failed", 0]);
  const b = await world.start("b", { manifests: declared("2", ROLLOUT) });
  await world.pass(3 * LOOK_MS);
  assert.deepEqual(await sharesOf(b), { 1: 1_000 });
  world.outcome = { kind: "succeeded", payload: new Uint8Array() };
  await b.plane.reload(declared("3", ROLLOUT));
  await world.pass(3 * LOOK_MS);
  assert.deepEqual(await sharesOf(b), { 1: 899, 3: 101 });
});

test("an old version that its manifest takes away with the change leaves no call without a version", async () => {
  const world = new ControlWorld();
  const a = await world.start("a", { manifests: declared("1") });
  const alias = { version: "2", weights: new Map<string, number>(), rollout: ROLLOUT };
  const fn = { ...functionNamed("orders", ["2", "3"]), aliases: new Map([["live", alias]]) };
  await a.plane.reload({ functions: [fn], mappings: [] });
  await world.pass(3 * LOOK_MS);
  assert.deepEqual(await sharesOf(a), { 2: 1_000 });
});

test("without a rollout a new version has all calls at once, and what ran before is over", async () => {
  const world = new ControlWorld();
  const a = await world.start("a", { manifests: declared("1") });
  await a.plane.reload(declared("2", ROLLOUT));
  await world.pass(3 * LOOK_MS);
  await a.plane.reload(declared("3"));
  await world.pass(MINUTE_MS / 60);
  assert.deepEqual(await sharesOf(a), { 3: 1_000 });
  assert.deepEqual(await a.plane.rollouts.list(), []);
});
