import assert from "node:assert/strict";
import { test } from "node:test";
import type { ParkedKeyStore, PutAnswer } from "../../src/ports/parked-keys.ts";
import {
  behaviour,
  DRAINER,
  MAPPING,
  opened,
  type ParkedKeysHarness,
  WIDE,
  Writer,
  waiting,
} from "./parked-keys-harness.ts";
import { assertRefused, retried } from "./writes-refused.ts";

interface Write {
  readonly name: string;
  run(store: ParkedKeyStore): Promise<unknown>;
}

const SHARD = new Writer({} as ParkedKeyStore);
const FIRST_FENCE = { mapping: MAPPING, shardId: SHARD.shardId, fence: 1 } as const;

/** In an order in which each takes effect behind the ones before it. */
const WRITES: readonly Write[] = [
  { name: "open", run: (store) => store.open(MAPPING, SHARD.shardId) },
  {
    name: "create",
    run: (store) => store.create({ ...FIRST_FENCE, attempt: 1 }, SHARD.made("a", "1"), WIDE),
  },
  {
    name: "append",
    run: (store) =>
      store.append(
        { ...FIRST_FENCE, attempt: 2 },
        [{ key: "a", log: "shard-1", tailVersion: 1, entries: SHARD.entries("a", "2", "3") }],
        WIDE,
      ),
  },
  { name: "drain", run: (store) => store.drain(DRAINER) },
  { name: "move", run: async (store) => store.move(MAPPING, await onlyId(store), 1, { kind: "draining" }) },
  { name: "advance", run: async (store) => store.advance(DRAINER, await onlyId(store), 1) },
  { name: "advance to the end", run: async (store) => store.advance(DRAINER, await onlyId(store), 3) },
  {
    name: "create another",
    run: (store) => store.create({ ...FIRST_FENCE, attempt: 3 }, SHARD.made("b", "4"), WIDE),
  },
  { name: "remove", run: (store) => store.remove(MAPPING) },
];

/** Writes that leave what is parked as it is: fences alone. */
const UNSEEN: readonly string[] = ["open", "drain"];

/** An answer counts when it is durable, and one that was lost says nothing. */
export function describeParkedKeysDurability(harness: ParkedKeysHarness): void {
  behaviour(
    harness,
    "take effect once by a call that is repeated, since its answer was lost",
    async (store, open) => {
      await using twin = await harness.createStore();
      const once = await twin.open();
      const other = await open();
      for (const { name, run } of WRITES) {
        await run(once);
        await run(store);
        // A shard that is opened again has another owner.
        if (name !== "open") await run(other);
        assert.deepEqual(await content(store), await content(once), name);
      }
    },
  );

  for (const { name, createStore } of harness.writeFaults) {
    test(`on a ${name} every write is refused and changes nothing, and works again afterwards`, async () => {
      await using fixture = await createStore();
      const [store, other] = [await fixture.open(), await fixture.open()];
      for (const write of WRITES) {
        const before = await retried(() => content(other));
        await fixture.begin();
        await assertRefused(write.name, () => write.run(store));
        await fixture.end();
        assert.deepEqual(await retried(() => content(other)), before, `${write.name} after the fault`);
        await retried(() => write.run(store));
        const after = await content(other);
        if (!UNSEEN.includes(write.name))
          assert.notDeepEqual(after, before, `${write.name} is read by another handle`);
      }
    });
  }

  behaviour(
    harness,
    "hold each record of several shards once and in its order, though all put at once",
    async (_, open) => {
      const shards = await Promise.all(
        Array.from({ length: 4 }, async (_, index) => {
          const store = await open();
          return { store, writer: await opened(store, `shard ${index}`) };
        }),
      );
      const places = Array.from({ length: 10 }, (_, index) => `${index}`);
      await Promise.all(shards.map(({ writer }) => putAll(writer, "a", places)));
      const store = shards[0]?.store;
      assert.ok(store !== undefined);
      const found = await waiting(store, await onlyId(store));
      for (const { writer } of shards) {
        const own = found.filter((each) => each.startsWith(writer.shardId));
        assert.deepEqual(
          own,
          places.map((place) => `${writer.shardId}/${place}`),
        );
      }
      assert.equal((await store.totals(MAPPING)).records, found.length);
    },
  );
}

/** One after the other, each behind whatever tail there is. */
async function putAll(writer: Writer, key: string, places: readonly string[]): Promise<void> {
  let tail: number | undefined;
  for (const place of places) {
    for (;;) {
      const answer: PutAnswer | "fenced" | undefined =
        tail === undefined ? await writer.create(key, place) : await writer.append(key, tail, place);
      assert.ok(answer !== undefined && answer !== "fenced" && "key" in answer, JSON.stringify(answer));
      tail = answer.key.tailVersion;
      if (answer.kind === "parked") break;
    }
  }
}

async function onlyId(store: ParkedKeyStore): Promise<string> {
  const [key] = await store.list(MAPPING, "", 1);
  return key?.id ?? "none";
}

async function content(store: ParkedKeyStore) {
  const keys = await store.list(MAPPING, "", 100);
  const { keys: count, records, bytes } = await store.totals(MAPPING);
  return { keys, totals: { count, records, bytes }, waiting: await waiting(store, await onlyId(store)) };
}
