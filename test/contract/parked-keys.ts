import assert from "node:assert/strict";
import { describe } from "node:test";
import { describeParkedKeysBounds } from "./parked-keys-bounds.ts";
import { describeParkedKeysDraining } from "./parked-keys-draining.ts";
import { describeParkedKeysDurability } from "./parked-keys-durability.ts";
import {
  behaviour,
  CAUSE,
  DRAINER,
  keyOf,
  MAPPING,
  opened,
  type ParkedKeysHarness,
  parked,
  WIDE,
  Writer,
  waiting,
} from "./parked-keys-harness.ts";

/** The laws of `src/ports/parked-keys.ts` as named behaviours, which every adapter runs. */
export function describeParkedKeysContract(name: string, harness: ParkedKeysHarness): void {
  describe(`${name} keep the laws of parked keys`, { timeout: 120_000 }, () => {
    describeParking(harness);
    describeFollowing(harness);
    describeFences(harness);
    describeParkedKeysBounds(harness);
    describeParkedKeysDraining(harness);
    describeParkedKeysDurability(harness);
  });
}

const NOTHING = { keys: 0, records: 0, bytes: 0, version: 0 };

function describeParking(harness: ParkedKeysHarness): void {
  behaviour(harness, "have nothing at first", async (store) => {
    assert.deepEqual(await store.totals(MAPPING), NOTHING);
    assert.deepEqual(await store.list(MAPPING, "", 10), []);
    assert.equal(await store.get(MAPPING, "none"), undefined);
    assert.deepEqual(await store.head(MAPPING, "none", 10, 10), []);
    assert.equal(await store.move(MAPPING, "none", 1, { kind: "draining" }), "stale");
    await store.remove(MAPPING);
    assert.deepEqual((await store.open(MAPPING, "shard-1")).keys, []);
  });

  behaviour(harness, "give a key as it was parked, to others too", async (store, open) => {
    const writer = await opened(store);
    const made = writer.made("ada", "1", "2");
    const key = keyOf(await store.create(writer.next(), made, WIDE));
    const bytes = made.entries.reduce((sum, { element }) => sum + element.length, "ada".length);
    assert.deepEqual(key, {
      id: key.id,
      key: "ada",
      state: { kind: "parked" },
      version: 1,
      tailVersion: 1,
      records: 2,
      bytes,
      last: { "shard-1": "2" },
      cause: CAUSE,
      parkedMs: 1_700_000_000_123,
    });
    const other = await open();
    assert.deepEqual(await other.get(MAPPING, key.id), key);
    assert.deepEqual(await other.list(MAPPING, "", 10), [key]);
    assert.deepEqual(await other.open(MAPPING, "shard-2"), { fence: 1, keys: [key] });
    assert.deepEqual(await other.totals(MAPPING), { keys: 1, records: 2, bytes, version: 1 });
  });

  behaviour(harness, "keep entries byte for byte, with all that is told of them", async (store) => {
    const writer = await opened(store);
    const element = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const entries = [
      { ...odd(), element },
      { ...odd(), position: "3", element: Buffer.alloc(0), arrivalMs: undefined, trace: undefined },
      { ...odd(), position: "4", arrivalMs: -1.5 },
    ];
    const key = keyOf(await store.create(writer.next(), { ...writer.made("a"), entries }, WIDE));
    const found = await store.head(MAPPING, key.id, 10, 10_000);
    assert.deepEqual(
      found.map(({ seq: _seq, element: bytes, ...rest }) => ({ ...rest, element: Buffer.from(bytes) })),
      entries,
    );
  });

  behaviour(harness, "tell keys of any text apart", async (store) => {
    const writer = await opened(store);
    const long = "ö".repeat(2_000);
    const keys = ["", "a", "A", "a\u0000", "\ud800", "\ud801", long, `${long}.`];
    const ids = new Set<string>();
    for (const key of keys) ids.add((await parked(writer, key, "1")).id);
    assert.equal(ids.size, keys.length);
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
    const listed = await store.list(MAPPING, "", 100);
    assert.deepEqual(listed.map(({ key }) => key).sort(), [...keys].sort());
  });

  behaviour(harness, "list keys in pages, in the order of their ids", async (store) => {
    const writer = await opened(store);
    for (let index = 0; index < 7; index++) await parked(writer, `key ${index}`, "1");
    const all = (await store.list(MAPPING, "", 100)).map(({ id }) => id);
    assert.deepEqual(all, [...all].sort());
    const second = (await store.list(MAPPING, all[2] ?? "", 3)).map(({ id }) => id);
    assert.deepEqual(second, all.slice(3, 6));
  });

  behaviour(harness, "make no second key of a name, and say how the first one stands", async (store) => {
    const writer = await opened(store);
    const key = await parked(writer, "a", "1");
    assert.deepEqual(await writer.create("a", "1"), { kind: "stale", key });
    const other = await opened(store, "shard-2");
    assert.deepEqual(await other.create("a", "7"), { kind: "stale", key });
    assert.deepEqual(await waiting(store, key.id), ["1"]);
  });

  behaviour(harness, "forget a mapping with all of its keys, and no other", async (store) => {
    const writer = await opened(store);
    const key = await parked(writer, "a", "1");
    const { fence } = await store.open("another", "shard-1");
    const at = { mapping: "another", shardId: "shard-1", fence, attempt: 1 };
    keyOf(await store.create(at, writer.made("a", "1"), WIDE));
    await store.remove(MAPPING);
    await store.remove(MAPPING);
    assert.equal(await store.get(MAPPING, key.id), undefined);
    assert.deepEqual(await store.totals(MAPPING), NOTHING);
    assert.equal(await writer.create("a", "1"), "fenced");
    assert.equal((await store.totals("another")).keys, 1);
    await writer.open();
    await parked(writer, "a", "2");
    assert.deepEqual(await waiting(store, key.id), ["2"]);
  });
}

function odd() {
  return {
    shardId: "shard-1",
    position: "2",
    itemId: 'ı "🜚"',
    arrivalMs: 1_700_000_000_123.5,
    element: Buffer.from("{}"),
    trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
}

function describeFollowing(harness: ParkedKeysHarness): void {
  behaviour(harness, "put records behind the tail that was seen, in order", async (store) => {
    const writer = await opened(store);
    const first = await parked(writer, "a", "1", "2");
    const second = keyOf(await writer.append("a", first.tailVersion, "3", "4"));
    assert.deepEqual([second.tailVersion, second.records, second.version], [2, 4, 1]);
    assert.deepEqual(second.last, { "shard-1": "4" });
    assert.deepEqual(await waiting(store, first.id), ["1", "2", "3", "4"]);
  });

  behaviour(harness, "put nothing behind a tail that nobody saw, and say how it is", async (store) => {
    const writer = await opened(store);
    const key = await parked(writer, "a", "1");
    const now = keyOf(await writer.append("a", 1, "2"));
    // The same again, as if its answer had been lost: it is found behind `last`.
    assert.deepEqual(await writer.append("a", 1, "2"), { kind: "stale", key: now });
    assert.deepEqual(await writer.append("a", 7, "3"), { kind: "stale", key: now });
    assert.deepEqual(await waiting(store, key.id), ["1", "2"]);
  });

  behaviour(harness, "make no key by putting behind it", async (store) => {
    const writer = await opened(store);
    assert.deepEqual(await writer.append("a", 0, "1"), { kind: "notParked" });
    assert.deepEqual(await store.list(MAPPING, "", 10), []);
  });

  behaviour(harness, "answer several puts each by itself", async (store) => {
    const writer = await opened(store);
    const a = await parked(writer, "a", "1");
    const b = await parked(writer, "b", "2");
    const puts = [
      { key: "a", log: "shard-1", tailVersion: 1, entries: writer.entries("a", "3") },
      { key: "none", log: "shard-1", tailVersion: 1, entries: writer.entries("none", "4") },
      { key: "b", log: "shard-1", tailVersion: 0, entries: writer.entries("b", "5") },
    ];
    const answers = await store.append(writer.next(), puts, WIDE);
    assert.ok(answers !== "fenced");
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ["parked", "notParked", "stale"],
    );
    assert.deepEqual(await waiting(store, a.id), ["1", "3"]);
    assert.deepEqual(await waiting(store, b.id), ["2"]);
  });

  behaviour(harness, "hold records of several shards in the order of their coming", async (store) => {
    const writer = await opened(store);
    const child = await opened(store, "child");
    const key = await parked(writer, "a", "1");
    await writer.append("a", 1, "2");
    assert.deepEqual(keyOf(await child.append("a", 2, "1")).last, { "shard-1": "2", child: "1" });
    assert.deepEqual(await waiting(store, key.id), ["1", "2", "child/1"]);
  });

  behaviour(harness, "give the first entries, so many and so many bytes, and one at least", async (store) => {
    const writer = await opened(store);
    const { id } = await parked(writer, "a", "1", "2", "3");
    const bytes = writer.entries("a", "1")[0]?.element.length ?? 0;
    const places = async (most: number, bytesMax: number) =>
      (await store.head(MAPPING, id, most, bytesMax)).map(({ position }) => position);
    assert.deepEqual(await places(2, 10_000), ["1", "2"]);
    assert.deepEqual(await places(10, 2 * bytes), ["1", "2"]);
    assert.deepEqual(await places(10, 2 * bytes - 1), ["1"]);
    assert.deepEqual(await places(10, 1), ["1"]);
  });
}

function describeFences(harness: ParkedKeysHarness): void {
  behaviour(harness, "let the newest owner of a shard write, and none before it", async (store, open) => {
    const zombie = await opened(store);
    const key = await parked(zombie, "a", "1");
    const heir = new Writer(await open());
    assert.deepEqual(await heir.open(), [key]);
    assert.equal(await zombie.append("a", 1, "2"), "fenced");
    assert.equal(await zombie.create("b", "2"), "fenced");
    assert.deepEqual(await waiting(store, key.id), ["1"]);
    await heir.append("a", 1, "3");
    assert.deepEqual(await waiting(store, key.id), ["1", "3"]);
  });

  behaviour(harness, "fence each shard by itself", async (store) => {
    const [one, two] = [await opened(store, "one"), await opened(store, "two")];
    await parked(one, "a", "1");
    await parked(two, "b", "1");
    await two.open();
    assert.notEqual(await one.append("a", 1, "2"), "fenced");
  });

  behaviour(harness, "let nobody write who has opened nothing", async (store) => {
    const stranger = new Writer(store);
    assert.equal(await stranger.create("a", "1"), "fenced");
    assert.equal(await stranger.append("a", 0, "1"), "fenced");
  });

  behaviour(
    harness,
    "change nothing by a put that comes behind a later one of its shard, though its key is gone",
    async (store) => {
      const writer = await opened(store);
      const late = writer.next();
      const { id, version } = await parked(writer, "a", "1");
      assert.equal(await store.create(late, writer.made("b", "1"), WIDE), "fenced");
      await store.drain(DRAINER);
      await store.move(MAPPING, id, version, { kind: "draining" });
      const [entry] = await store.head(MAPPING, id, 1, 1_000);
      assert.equal(await store.advance(DRAINER, id, entry?.seq ?? 0), "closed");
      assert.equal(await store.create(late, writer.made("a", "1"), WIDE), "fenced");
      const put = { key: "a", log: "shard-1", tailVersion: 0, entries: writer.entries("a", "1") };
      assert.equal(await store.append(late, [put], WIDE), "fenced");
      assert.deepEqual(await store.list(MAPPING, "", 10), []);
    },
  );
}
