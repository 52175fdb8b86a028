import assert from "node:assert/strict";
import { test } from "node:test";
import type { Declaration } from "../../../src/control/function-rows.ts";
import { keptRows } from "../../../src/control/kept-rows.ts";
import { applySet, type SetOptions } from "../../../src/control/manifest-set.ts";
import type { NewResourceRow, ResourceStore } from "../../../src/ports/resource-store.ts";
import { readDocument, writeDocument } from "../../../src/resources/document.ts";
import type { ManifestOwner } from "../../../src/resources/owner.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";

const SHOP: ManifestOwner = { kind: "manifest", set: "shop" };

test("what a set declares is written once: a second time changes nothing", async () => {
  const store = createMemoryResourceStore();
  assert.deepEqual(await apply(store, [fn("orders", 3), fn("parcels", 5)]), {
    written: 2,
    refusals: [],
    newerRevision: undefined,
  });
  const version = await store.newestVersion();
  assert.equal((await apply(store, [fn("parcels", 5), fn("orders", 3)])).written, 0);
  assert.equal(await store.newestVersion(), version);
});

test("a changed declaration is of a new generation, and leaves others as they are", async () => {
  const store = createMemoryResourceStore();
  await apply(store, [fn("orders", 3), fn("parcels", 5)]);
  assert.equal((await apply(store, [fn("orders", 4), fn("parcels", 5)])).written, 1);
  const [orders, parcels] = [await documentOf(store, "orders"), await documentOf(store, "parcels")];
  assert.deepEqual([orders?.spec, orders?.generation], [{ timeoutSeconds: 4 }, 2]);
  assert.equal(parcels?.generation, 1);
});

test("what another owner declared is not written, and the owner is named", async () => {
  const store = createMemoryResourceStore();
  await apply(store, [fn("orders", 3)]);
  const other = { kind: "manifest", set: "depot" } as const;
  const report = await apply(store, [fn("orders", 9), fn("parcels", 5)], { owner: other });
  assert.deepEqual(report.refusals, [{ kind: "function", name: "orders", owner: SHOP }]);
  assert.deepEqual((await documentOf(store, "orders"))?.spec, { timeoutSeconds: 3 });
  assert.deepEqual((await documentOf(store, "parcels"))?.owner, other);
});

test("what vanished from its set is kept as an orphan, and runs again when it comes back", async () => {
  const store = createMemoryResourceStore();
  await apply(store, [fn("orders", 3), fn("parcels", 5)]);
  assert.equal((await apply(store, [fn("orders", 3)], { nowMs: 50 })).written, 1);
  const orphan = await documentOf(store, "parcels");
  assert.deepEqual(orphan?.conditions, [
    { type: "Orphaned", reason: "It is no longer in the manifest set shop.", sinceMs: 50 },
  ]);
  assert.deepEqual(orphan?.spec, { timeoutSeconds: 5 });
  assert.equal((await apply(store, [fn("orders", 3)])).written, 0, "an orphan is told once");
  await apply(store, [fn("orders", 3), fn("parcels", 5)]);
  const again = await documentOf(store, "parcels");
  assert.deepEqual([again?.conditions, again?.generation], [[], 2]);
});

test("what is kept is no orphan, with the versions and aliases of a function", async () => {
  const store = createMemoryResourceStore();
  const declared = (kind: string, name: string) => ({ kind, name, spec: {} });
  const all = [
    declared("function", "orders"),
    declared("version", "orders:1"),
    declared("alias", "orders:live"),
  ];
  const others = [
    declared("function", "ordersx"),
    declared("schedule", "default/orders"),
    declared("rule", "bus/r"),
  ];
  await apply(store, [...all, ...others]);
  const isKept = keptRows([
    { kind: "Function", name: "orders" },
    { kind: "Rule", name: "r" },
  ]);
  await apply(store, [], { isKept });
  const rows = (await store.list()).map(({ name, document }) => [
    name,
    readDocument(document)?.conditions.length,
  ]);
  assert.deepEqual(Object.fromEntries(rows), {
    ...{ orders: 0, "orders:1": 0, "orders:live": 0, "bus/r": 0 },
    ...{ ordersx: 1, "default/orders": 1 },
  });
});

test("what another set lost or never had is no orphan of this one", async () => {
  const store = createMemoryResourceStore();
  await apply(store, [fn("parcels", 5)], { owner: { kind: "manifest", set: "depot" } });
  await apply(store, [fn("orders", 3)]);
  assert.deepEqual((await documentOf(store, "parcels"))?.conditions, []);
});

test("a lower revision overwrites nothing, brings nothing and orphans nothing", async () => {
  const store = createMemoryResourceStore();
  await apply(store, [fn("orders", 4)], { owner: { ...SHOP, revision: 7 } });
  const version = await store.newestVersion();
  for (const owner of [{ ...SHOP, revision: 6 }, SHOP]) {
    const report = await apply(store, [fn("orders", 3), fn("parcels", 5)], { owner });
    assert.deepEqual(report, { written: 0, refusals: [], newerRevision: 7 });
  }
  assert.equal(await store.newestVersion(), version);
  await apply(store, [fn("orders", 3)], { owner: { ...SHOP, revision: 8 } });
  assert.deepEqual((await documentOf(store, "orders"))?.spec, { timeoutSeconds: 3 });
});

test("a higher revision with the same content is remembered, and restarts nothing", async () => {
  const store = createMemoryResourceStore();
  await apply(store, [fn("orders", 3)], { owner: { ...SHOP, revision: 1 } });
  await apply(store, [fn("orders", 3)], { owner: { ...SHOP, revision: 2 } });
  const document = await documentOf(store, "orders");
  assert.deepEqual([document?.generation, document?.owner], [1, { ...SHOP, revision: 2 }]);
});

test("what somebody else set who may stays until its field is declared anew, as another value", async () => {
  const store = createMemoryResourceStore();
  await apply(store, [fn("orders", 3, { reservedConcurrency: 10 })]);
  const [row] = await store.list();
  const document = row && readDocument(row.document);
  assert.ok(row !== undefined && document !== undefined);
  const overridden = writeDocument({ ...document, overrides: { reservedConcurrency: 2 } });
  await store.replace({ ...row, document: overridden }, row.version);
  await apply(store, [fn("orders", 4, { reservedConcurrency: 10 })]);
  assert.deepEqual((await documentOf(store, "orders"))?.overrides, { reservedConcurrency: 2 });
  await apply(store, [fn("orders", 4, { reservedConcurrency: 11 })]);
  const after = await documentOf(store, "orders");
  assert.deepEqual([after?.overrides, after?.spec["reservedConcurrency"]], [undefined, 11]);
});

test("other content under the revision that was applied is applied, and said; the same content is neither", async () => {
  const store = createMemoryResourceStore();
  const owner = { ...SHOP, revision: 3 };
  await apply(store, [fn("orders", 3), fn("parcels", 5)], { owner });
  const same = await apply(store, [fn("parcels", 5), fn("orders", 3)], { owner });
  assert.deepEqual([same.isOtherContent, same.written], [undefined, 0]);
  const other = await apply(store, [fn("orders", 4), fn("parcels", 5)], { owner });
  assert.deepEqual(
    [other.isOtherContent, (await documentOf(store, "orders"))?.spec],
    [true, { timeoutSeconds: 4 }],
  );
  const more = await apply(store, [fn("orders", 4), fn("parcels", 5), fn("returns", 1)], { owner });
  assert.equal(more.isOtherContent, true);
  const next = await apply(store, [fn("orders", 9)], { owner: { ...SHOP, revision: 4 } });
  assert.equal(next.isOtherContent, undefined);
  await apply(store, [fn("orders", 9)]);
  assert.equal((await apply(store, [fn("orders", 8)])).isOtherContent, undefined, "no revision is promised");
});

test("what is applied in part by another process of the same revision is no other content", async () => {
  const store = createMemoryResourceStore();
  const owner = { ...SHOP, revision: 3 };
  let writes = 0;
  const dying = Object.assign(createMemoryResourceStore(), {
    list: (kinds?: readonly string[]) => store.list(kinds),
    insert: (row: NewResourceRow) =>
      writes++ === 0 ? store.insert(row) : Promise.reject(new Error("it died")),
  });
  const declarations = [fn("orders", 3), fn("parcels", 5)];
  await assert.rejects(apply(dying, declarations, { owner }), /it died/);
  const report = await apply(store, declarations, { owner });
  assert.deepEqual([report.isOtherContent, report.written], [undefined, 1]);
});

test("two processes of one set that start at once end with one row of each", async () => {
  const store = createMemoryResourceStore();
  const declarations = [fn("orders", 3), fn("parcels", 5)];
  await Promise.all([apply(store, declarations), apply(store, declarations), apply(store, declarations)]);
  const rows = await store.list();
  assert.deepEqual(rows.map(({ name }) => name).toSorted(), ["orders", "parcels"]);
});

function fn(name: string, timeoutSeconds: number, fields: object = {}): Declaration {
  return { kind: "function", name, spec: { timeoutSeconds, ...fields } };
}

function apply(
  store: ResourceStore,
  declarations: readonly Declaration[],
  options: Partial<Pick<SetOptions, "owner" | "nowMs" | "isKept">> = {},
) {
  return applySet({ store, declarations, owner: SHOP, nowMs: 1, ...options });
}

async function documentOf(store: ResourceStore, name: string) {
  const row = (await store.list()).find((each) => each.name === name);
  return row && readDocument(row.document);
}
