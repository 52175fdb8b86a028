import assert from "node:assert/strict";
import { describe } from "node:test";
import type { ResourceStore } from "../../src/ports/resource-store.ts";
import { describeResourceDurability } from "./resource-store-durability.ts";
import {
  behaviour,
  conflictWith,
  FIRST,
  inserted,
  type ResourceStoreHarness,
  row,
  SECOND,
  uidOf,
} from "./resource-store-harness.ts";
import { describeKinds } from "./resource-store-kinds.ts";
import { retried } from "./writes-refused.ts";

/** The laws of `src/ports/resource-store.ts` as named behaviours, which every adapter runs. */
export function describeResourceStoreContract(name: string, harness: ResourceStoreHarness): void {
  describe(`${name} keeps the laws of a resource store`, { timeout: 120_000 }, () => {
    describeRows(harness);
    describeKinds(harness);
    describeClaims(harness);
    describeVersions(harness);
    describeProcesses(harness);
    describeResourceDurability(harness);
  });
}

function describeRows(harness: ResourceStoreHarness): void {
  behaviour(harness, "is empty at first", async (store) => {
    assert.deepEqual(await store.list(), []);
    assert.equal(await store.get(FIRST), undefined);
    assert.equal(await store.newestVersion(), 0);
    assert.deepEqual(await store.processes(), []);
  });

  behaviour(harness, "reads what was written, also through another handle", async (store, open) => {
    const document = JSON.stringify({ text: 'höhe 🜚 \u2028 "', nested: [1, null, true] });
    const row = {
      uid: FIRST,
      kind: "sort",
      name: "a ☃ name",
      claims: ["a", "b with space", "c:☃"],
      document,
    };
    const written = await store.insert(row);
    assert.ok(written.kind === "written");
    const expected = { ...row, version: written.version };
    assert.deepEqual(plain(await (await open()).get(FIRST)), expected);
    assert.deepEqual((await store.list()).map(plain), [expected]);
  });

  behaviour(harness, "keeps a large document", async (store) => {
    const document = JSON.stringify({ text: "x".repeat(250_000) });
    await store.insert(row(FIRST, [], document));
    assert.equal((await store.get(FIRST))?.document, document);
  });

  behaviour(harness, "lists many rows", async (store) => {
    for (let index = 0; index < 120; index++) await store.insert(row(uidOf(index), [`claim-${index}`]));
    const uids = (await store.list()).map(({ uid }) => uid).sort();
    assert.deepEqual(uids, Array.from({ length: 120 }, (_, index) => uidOf(index)).sort());
  });

  behaviour(harness, "refuses a second row of one uid and leaves the first as it was", async (store) => {
    await store.insert(row(FIRST, ["a"], '{"first":true}'));
    assert.deepEqual(await store.insert(row(FIRST, ["b"], '{"first":false}')), conflictWith(FIRST));
    assert.equal((await store.get(FIRST))?.document, '{"first":true}');
    assert.deepEqual((await store.insert(row(SECOND, ["b"]))).kind, "written", "its claim was not kept");
  });

  behaviour(harness, "replaces a row at the version that was seen, and not at another", async (store) => {
    const version = await inserted(store, row(FIRST, ["a"], '{"n":1}'));
    const replaced = await store.replace(row(FIRST, ["a"], '{"n":2}'), version);
    assert.ok(replaced.kind === "written");
    assert.deepEqual(await store.replace(row(FIRST, ["a"], '{"n":3}'), version), { kind: "stale" });
    assert.deepEqual(plain(await store.get(FIRST)), {
      ...row(FIRST, ["a"], '{"n":2}'),
      version: replaced.version,
    });
  });

  behaviour(harness, "does not replace a row that is not there", async (store) => {
    assert.deepEqual(await store.replace(row(FIRST, ["a"]), 1), { kind: "stale" });
    assert.deepEqual(await store.list(), []);
  });

  behaviour(harness, "removes a row at the version that was seen, and not at another", async (store) => {
    const version = await inserted(store, row(FIRST, ["a"]));
    assert.deepEqual(await store.remove(FIRST, version + 1), { kind: "stale" });
    assert.deepEqual(await store.remove(FIRST, version), { kind: "removed" });
    assert.deepEqual(await store.remove(FIRST, version), { kind: "stale" });
    assert.equal(await store.get(FIRST), undefined);
  });
}

function describeClaims(harness: ResourceStoreHarness): void {
  behaviour(harness, "names the row that holds one of the claims", async (store) => {
    await store.insert(row(FIRST, ["a", "b"]));
    assert.deepEqual(await store.insert(row(SECOND, ["c", "b"])), conflictWith(FIRST));
    assert.equal(await store.get(SECOND), undefined);
  });

  behaviour(harness, "frees the claims of a removed row", async (store) => {
    const version = await inserted(store, row(FIRST, ["a"]));
    await store.remove(FIRST, version);
    assert.equal((await store.insert(row(SECOND, ["a"]))).kind, "written");
  });

  behaviour(harness, "moves claims with a replacement", async (store) => {
    const version = await inserted(store, row(FIRST, ["a", "b"]));
    await store.replace(row(FIRST, ["b", "c"]), version);
    assert.deepEqual(await store.insert(row(SECOND, ["c"])), conflictWith(FIRST));
    assert.equal((await store.insert(row(SECOND, ["a"]))).kind, "written");
  });

  behaviour(
    harness,
    "refuses a replacement that takes another's claim, and keeps what was",
    async (store) => {
      const version = await inserted(store, row(FIRST, ["a"], '{"n":1}'));
      await store.insert(row(SECOND, ["b"]));
      assert.deepEqual(await store.replace(row(FIRST, ["b"], '{"n":2}'), version), conflictWith(SECOND));
      assert.deepEqual(plain(await store.get(FIRST)), { ...row(FIRST, ["a"], '{"n":1}'), version });
    },
  );

  behaviour(harness, "gives a claim to exactly one of many who ask at once", async (store, open) => {
    const handles = await Promise.all(Array.from({ length: 8 }, () => open()));
    const results = await Promise.all(
      handles.map((handle, index) => retried(() => handle.insert(row(uidOf(index), ["one"])))),
    );
    assert.equal(results.filter(({ kind }) => kind === "written").length, 1);
    const [holder] = await store.list();
    for (const result of results) if (result.kind === "conflict") assert.equal(result.uid, holder?.uid);
  });
}

function describeVersions(harness: ResourceStoreHarness): void {
  behaviour(harness, "gives every write a version above all before it, in the whole store", async (store) => {
    const versions = [await inserted(store, row(FIRST, ["a"])), await inserted(store, row(SECOND, ["b"]))];
    const replaced = await store.replace(row(FIRST, ["a"]), versions[0] ?? 0);
    assert.ok(replaced.kind === "written");
    versions.push(replaced.version);
    assert.deepEqual(
      versions.toSorted((a, b) => a - b),
      versions,
    );
    assert.equal(new Set(versions).size, 3);
    assert.equal(await store.newestVersion(), replaced.version);
    await store.remove(SECOND, versions[1] ?? 0);
    assert.ok((await store.newestVersion()) > replaced.version, "a removal is seen too");
  });

  behaviour(harness, "does not move its version for what takes no effect", async (store) => {
    const version = await inserted(store, row(FIRST, ["a"]));
    await store.insert(row(FIRST, ["b"]));
    await store.insert(row(SECOND, ["a"]));
    await store.replace(row(FIRST, ["a"]), version + 7);
    await store.remove(FIRST, version + 7);
    assert.equal(await store.newestVersion(), version);
  });

  behaviour(harness, "lets exactly one of many replace a version", async (store, open) => {
    const version = await inserted(store, row(FIRST, ["a"]));
    const handles = await Promise.all(Array.from({ length: 8 }, () => open()));
    const results = await Promise.all(
      handles.map((handle, index) =>
        retried(() => handle.replace(row(FIRST, ["a"], JSON.stringify({ index })), version)),
      ),
    );
    assert.equal(results.filter(({ kind }) => kind === "written").length, 1);
  });
}

function describeProcesses(harness: ResourceStoreHarness): void {
  behaviour(
    harness,
    "shows each process with what it applied, and a beat that always moves",
    async (store, open) => {
      await store.announce("p1", 0);
      await store.announce("p2", 3);
      const other = await open();
      const before = await sightOf(other, "p1");
      await store.announce("p1", 0);
      const after = await sightOf(other, "p1");
      assert.equal(after.appliedVersion, 0);
      assert.ok(after.beat > before.beat);
      await store.announce("p1", 5);
      assert.equal((await sightOf(other, "p1")).appliedVersion, 5);
      assert.equal((await sightOf(other, "p2")).appliedVersion, 3);
    },
  );

  behaviour(harness, "forgets a process, and does not mind one it never knew", async (store) => {
    await store.announce("p1", 0);
    await store.forget("p1");
    await store.forget("p1");
    await store.forget("never");
    assert.deepEqual(await store.processes(), []);
  });
}

async function sightOf(store: ResourceStore, processId: string) {
  const sight = (await store.processes()).find((process) => process.processId === processId);
  assert.ok(sight !== undefined, `no sight of ${processId}`);
  return sight;
}

/** Claims in any order. */
function plain<Row extends { readonly claims: readonly string[] }>(value: Row | undefined) {
  return value && { ...value, claims: value.claims.toSorted() };
}
