import assert from "node:assert/strict";
import { test } from "node:test";
import { hasErrorCode } from "../../src/model/errors.ts";
import type { ResourceStore } from "../../src/ports/resource-store.ts";
import { FIRST, type ResourceStoreHarness, SECOND } from "./resource-store-harness.ts";
import { retried } from "./writes-refused.ts";

const NAMED = { uid: FIRST, kind: "mapping", name: "first" };

interface Write {
  readonly name: string;
  /** Gives whether the store says that it took effect. */
  run(store: ResourceStore, version: number): Promise<boolean>;
}

const WRITES: readonly Write[] = [
  {
    name: "replace",
    async run(store, version) {
      const row = { ...NAMED, claims: ["b"], document: JSON.stringify({ version }) };
      return (await store.replace(row, version)).kind === "written";
    },
  },
  {
    name: "insert",
    async run(store) {
      return (
        (await store.insert({ ...NAMED, uid: SECOND, name: "second", claims: ["c"], document: "{}" }))
          .kind === "written"
      );
    },
  },
  {
    name: "announce",
    async run(store, version) {
      await store.announce("p1", version);
      return true;
    },
  },
  {
    name: "forget",
    async run(store) {
      await store.forget("p1");
      return true;
    },
  },
  {
    name: "remove",
    async run(store, version) {
      return (await store.remove(FIRST, version)).kind === "removed";
    },
  },
];

/** An answer counts when it is durable: what a store that cannot write says, and what it holds. */
export function describeResourceDurability({ writeFaults }: ResourceStoreHarness): void {
  for (const { name, createStore } of writeFaults) {
    test(`on a ${name} every write is refused and changes nothing, and works again afterwards`, async () => {
      await using fixture = await createStore();
      const [store, other] = [await fixture.open(), await fixture.open()];
      await store.insert({ ...NAMED, claims: ["a"], document: "{}" });
      await store.announce("p1", 0);
      const before = await content(other);
      await fixture.begin();
      for (const write of WRITES) {
        await assertRefused(write, store, versionOf(before));
        const during = await content(other).catch(() => undefined);
        if (during !== undefined) assert.deepEqual(during, before, `${write.name} changed rows`);
      }
      await fixture.end();
      assert.deepEqual(await retried(() => content(other)), before, "after the fault");
      for (const write of WRITES) {
        const rows = await content(other);
        assert.ok(await retried(() => write.run(store, versionOf(rows))), `${write.name} works again`);
        assert.notDeepEqual(await content(other), rows, `${write.name} is read by another handle`);
      }
    });
  }
}

async function assertRefused({ name, run }: Write, store: ResourceStore, version: number): Promise<void> {
  let answer: unknown;
  try {
    answer = await run(store, version);
  } catch (error) {
    assert.ok(hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE"), `${name}: ${error}`);
    return;
  }
  assert.fail(`${name} says ${JSON.stringify(answer)} while nothing can be written`);
}

interface Content {
  readonly rows: readonly { readonly uid: string; readonly version: number }[];
  readonly newest: number;
  readonly processes: unknown;
}

async function content(store: ResourceStore): Promise<Content> {
  const rows = [...(await store.list())].sort((a, b) => (a.uid < b.uid ? -1 : 1));
  return { rows, newest: await store.newestVersion(), processes: await store.processes() };
}

function versionOf({ rows }: Content): number {
  return rows.find(({ uid }) => uid === FIRST)?.version ?? -1;
}
