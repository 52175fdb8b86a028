import assert from "node:assert/strict";
import type { NewResourceRow, ResourceStore } from "../../src/ports/resource-store.ts";
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
import { retried } from "./writes-refused.ts";

/** Kinds and names, and lists of one moment. */
export function describeKinds(harness: ResourceStoreHarness): void {
  behaviour(harness, "lists rows of the kinds that are asked for", async (store) => {
    await store.insert(named(FIRST, "function", "orders"));
    await store.insert(named(SECOND, "alias", "orders:live"));
    await store.insert(named(uidOf(3), "mapping", uidOf(3)));
    const uids = async (kinds?: readonly string[]) =>
      (await store.list(kinds)).map(({ uid }) => uid).toSorted();
    assert.deepEqual(await uids(["function"]), [FIRST]);
    assert.deepEqual(await uids(["alias", "function", "none"]), [FIRST, SECOND]);
    assert.deepEqual(await uids([]), []);
    assert.equal((await uids()).length, 3);
  });

  behaviour(
    harness,
    "refuses a second row of one name and kind, and takes it of another kind",
    async (store) => {
      await store.insert(named(FIRST, "function", "orders"));
      assert.deepEqual(await store.insert(named(SECOND, "function", "orders")), conflictWith(FIRST));
      assert.equal(await store.get(SECOND), undefined);
      assert.equal((await store.insert(named(SECOND, "alias", "orders"))).kind, "written");
    },
  );

  behaviour(harness, "frees the name of a row that was removed or renamed", async (store) => {
    const first = await inserted(store, named(FIRST, "function", "orders"));
    await store.replace(named(FIRST, "function", "parcels"), first);
    const second = await inserted(store, named(SECOND, "function", "orders"));
    assert.deepEqual(await store.replace(named(SECOND, "function", "parcels"), second), conflictWith(FIRST));
    assert.equal((await store.get(SECOND))?.name, "orders");
    await store.remove(FIRST, (await store.get(FIRST))?.version ?? 0);
    assert.equal((await store.replace(named(SECOND, "function", "parcels"), second)).kind, "written");
  });

  behaviour(harness, "does not make a row one of another kind", async (store) => {
    const version = await inserted(store, named(FIRST, "function", "orders"));
    assert.deepEqual(await store.replace(named(FIRST, "alias", "orders"), version), { kind: "stale" });
    assert.equal((await store.get(FIRST))?.kind, "function");
    assert.equal(await store.newestVersion(), version);
  });

  behaviour(harness, "gives a name to exactly one of many who ask at once", async (store, open) => {
    const handles = await Promise.all(Array.from({ length: 8 }, () => open()));
    const results = await Promise.all(
      handles.map((handle, index) =>
        retried(() => handle.insert(named(uidOf(index), "version", "orders:1"))),
      ),
    );
    assert.equal(results.filter(({ kind }) => kind === "written").length, 1);
    assert.equal((await store.list(["version"])).length, 1);
  });

  behaviour(harness, "lists the rows of one moment while they are written", async (store, open) => {
    const writer = await open();
    let [a, b] = [await inserted(writer, row(FIRST, [])), await inserted(writer, row(SECOND, []))];
    let isWriting = true;
    const writing = (async () => {
      for (let count = 0; count < 20; count++) {
        a = await replaced(writer, row(FIRST, []), a);
        b = await replaced(writer, row(SECOND, []), b);
      }
      isWriting = false;
    })();
    while (isWriting) {
      const rows = await retried(() => store.list());
      const [first, second] = [FIRST, SECOND].map(
        (uid) => rows.find((each) => each.uid === uid)?.version ?? 0,
      );
      // They are written in turns, so no version is between the two.
      assert.equal(Math.abs((first ?? 0) - (second ?? 0)), 1);
    }
    await writing;
  });
}

function named(uid: string, kind: string, name: string): NewResourceRow {
  return { uid, kind, name, claims: [], document: "{}" };
}

async function replaced(store: ResourceStore, wanted: NewResourceRow, seen: number): Promise<number> {
  const result = await retried(() => store.replace(wanted, seen));
  assert.ok(result.kind === "written", result.kind);
  return result.version;
}
