import assert from "node:assert/strict";
import { test } from "node:test";
import { declarationsOf, driftedByKind, functionsOf } from "../../../src/control/function-rows.ts";
import { applySet } from "../../../src/control/manifest-set.ts";
import { ResourceControl } from "../../../src/control/resource-control.ts";
import type { FunctionResource } from "../../../src/manifests/resources.ts";
import type { ManifestOwner } from "../../../src/resources/owner.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";
import { createManualClock } from "../functions/manual-clock.ts";

const SHOP: ManifestOwner = { kind: "manifest", set: "shop" };
const ORDERS: FunctionResource = {
  name: "orders",
  target: { kind: "http", url: "http://127.0.0.1:9000/?token=secret" },
  versions: new Map([["1", { kind: "http", url: "http://127.0.0.1:9001/" }]]),
  aliases: new Map([["live", { version: "1", weights: new Map() }]]),
  timeoutMs: 3_000,
  concurrency: 10,
  isReserved: true,
  isConcurrencyAdaptive: false,
  errorDetails: "full",
};
const PARCELS: FunctionResource = { ...ORDERS, name: "parcels", versions: new Map(), aliases: new Map() };

test("concurrency that the API sets is in force beside what is declared, and is shown as drift with its reason", async () => {
  const { control, store, concurrencyOf } = await createWorld();
  await control.setConcurrency("orders", 2);
  assert.equal(await concurrencyOf("orders"), 2);
  assert.deepEqual(await control.drift(), [
    {
      kind: "function",
      name: "orders",
      field: "reservedConcurrency",
      declared: 10,
      inForce: 2,
      reason: "It was set by the API, until the manifest set shop declares this field anew.",
    },
  ]);
  assert.equal(driftedByKind(await store.list()).get("function"), 1);
  await control.setConcurrency("orders", undefined);
  assert.equal(await concurrencyOf("orders"), 10);
  assert.deepEqual(await control.drift(), []);
  assert.equal(driftedByKind(await store.list()).get("function"), 0);
});

test("what the API set outlives a start with the same manifests, and is dropped by the owner's next change of the field", async () => {
  const { control, apply, concurrencyOf } = await createWorld();
  await control.setConcurrency("orders", 2);
  await apply([{ ...ORDERS, timeoutMs: 5_000 }, PARCELS]);
  assert.equal(await concurrencyOf("orders"), 2);
  await apply([{ ...ORDERS, concurrency: 11 }, PARCELS]);
  assert.equal(await concurrencyOf("orders"), 11);
  assert.deepEqual(await control.drift(), []);
});

test("a function whose concurrency the API sets to 0 reserves none", async () => {
  const { control, concurrencyOf } = await createWorld();
  await control.setConcurrency("orders", 0);
  assert.equal(await concurrencyOf("orders"), 0);
});

test("a concurrency that is no whole number from 0 to 10,000, or of a function that is not there, is refused", async () => {
  const { control, store } = await createWorld();
  const version = await store.newestVersion();
  for (const wrong of [1.5, Number.NaN]) {
    await assert.rejects(control.setConcurrency("orders", wrong), {
      fault: "InvalidParameterValueException",
    });
  }
  await assert.rejects(control.setConcurrency("orders", -1), {
    fault: "ValidationException",
    message:
      "1 validation error detected: Value '-1' at 'reservedConcurrentExecutions' failed to satisfy constraint: " +
      "Member must have value greater than or equal to 0",
  });
  await assert.rejects(control.setConcurrency("orders", 10_001), { fault: "ValidationException" });
  await assert.rejects(control.setConcurrency("nobody", 1), { fault: "ResourceNotFoundException" });
  assert.equal(await store.newestVersion(), version);
});

test("orphans are drift until they are pruned, and nothing that is declared is", async () => {
  const { control, apply } = await createWorld();
  await apply([ORDERS]);
  assert.deepEqual(await control.drift(), [
    {
      kind: "function",
      name: "parcels",
      reason: "It is no longer in the manifest set shop. It is kept, and not run.",
    },
  ]);
  assert.deepEqual(await control.prune({ kind: "function", name: "orders" }), []);
  assert.deepEqual(await control.prune({}), [{ kind: "function", name: "parcels" }]);
  assert.deepEqual(await control.drift(), []);
  assert.deepEqual(
    (await control.list()).map(({ kind, name }) => `${kind} ${name}`),
    ["alias orders:live", "function orders", "version orders:1"],
  );
});

test("a function that was adopted is the new owner's with all that it has, and the manifests are refused", async () => {
  const { control, apply, concurrencyOf } = await createWorld();
  await control.setConcurrency("orders", 2);
  const adopted = await control.adopt("orders", { kind: "api" });
  assert.deepEqual(
    adopted.map(({ kind, name, from }) => `${kind} ${name} ${from}`),
    [
      "alias orders:live the manifest set shop",
      "function orders the manifest set shop",
      "version orders:1 the manifest set shop",
    ],
  );
  const report = await apply([{ ...ORDERS, concurrency: 11 }, PARCELS]);
  assert.equal(report.refusals.length, 3);
  assert.equal(await concurrencyOf("orders"), 2);
  assert.deepEqual(await control.drift(), [], "what was set is what the new owner declares");
  await control.adopt("orders", SHOP);
  assert.deepEqual((await apply([{ ...ORDERS, concurrency: 11 }, PARCELS])).refusals, []);
  assert.equal(await concurrencyOf("orders"), 11);
  await assert.rejects(control.adopt("nobody", SHOP), { fault: "ResourceNotFoundException" });
});

test("where a function runs, and what its environment holds, is not shown", async () => {
  const { control } = await createWorld();
  const shown = JSON.stringify(await control.list());
  assert.doesNotMatch(shown, /secret|127\.0\.0\.1/);
  assert.match(shown, /"http":"sha256:[0-9a-f]{64}"/);
});

async function createWorld() {
  const store = createMemoryResourceStore();
  const control = new ResourceControl({ store, clock: createManualClock(), onChange: async () => undefined });
  const apply = (functions: readonly FunctionResource[]) =>
    applySet({ store, owner: SHOP, declarations: functions.flatMap(declarationsOf), nowMs: 1 });
  await apply([ORDERS, PARCELS]);
  const concurrencyOf = async (wanted: string) =>
    functionsOf(await store.list()).functions.find(({ name }) => name === wanted)?.concurrency;
  return { store, control, apply, concurrencyOf };
}
