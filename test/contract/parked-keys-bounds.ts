import assert from "node:assert/strict";
import {
  behaviour,
  keyOf,
  MAPPING,
  onlyAnswer,
  opened,
  type ParkedKeysHarness,
  parked,
  WIDE,
  waiting,
} from "./parked-keys-harness.ts";

/** How much may be parked of a mapping. */
export function describeParkedKeysBounds(harness: ParkedKeysHarness): void {
  behaviour(harness, "hold no more keys than they may, and put nothing of one more", async (store) => {
    const writer = await opened(store);
    const bounds = { ...WIDE, keysMax: 1 };
    keyOf(await store.create(writer.next(), writer.made("a", "1"), bounds));
    const before = await store.totals(MAPPING);
    assert.deepEqual(await store.create(writer.next(), writer.made("b", "2"), bounds), { kind: "full" });
    assert.deepEqual(await store.totals(MAPPING), before);
    assert.equal((await store.list(MAPPING, "", 10)).length, 1);
  });

  behaviour(harness, "hold no more records than they may, over all keys", async (store) => {
    const writer = await opened(store);
    const bounds = { ...WIDE, recordsMax: 4 };
    const a = keyOf(await store.create(writer.next(), writer.made("a", "1", "2"), bounds));
    keyOf(await store.create(writer.next(), writer.made("b", "3"), bounds));
    const put = (...places: string[]) => [
      { key: "a", log: "shard-1", tailVersion: a.tailVersion, entries: writer.entries("a", ...places) },
    ];
    assert.deepEqual(await store.append(writer.next(), put("4", "5"), bounds), [{ kind: "full" }]);
    assert.deepEqual(await waiting(store, a.id), ["1", "2"]);
    assert.equal((await store.get(MAPPING, a.id))?.tailVersion, a.tailVersion);
    const answer = onlyAnswer(await store.append(writer.next(), put("4"), bounds));
    assert.equal(keyOf(answer).records, 3);
  });

  behaviour(harness, "hold no more bytes than they may, those of keys included", async (store) => {
    const writer = await opened(store);
    const made = writer.made("a", "1");
    const bytesMax = (made.entries[0]?.element.length ?? 0) + 1;
    const less = { ...WIDE, bytesMax: bytesMax - 1 };
    assert.deepEqual(await store.create(writer.next(), made, less), { kind: "full" });
    keyOf(await store.create(writer.next(), made, { ...WIDE, bytesMax }));
    assert.equal((await store.totals(MAPPING)).bytes, bytesMax);
  });

  behaviour(harness, "judge each of several puts by what those before it left", async (store) => {
    const writer = await opened(store);
    for (const key of ["a", "b", "c"]) await parked(writer, key, "1");
    const puts = ["a", "b", "c"].map((key) => ({
      key,
      log: "shard-1",
      tailVersion: 1,
      entries: writer.entries(key, "2"),
    }));
    const answers = await store.append(writer.next(), puts, { ...WIDE, recordsMax: 5 });
    assert.ok(answers !== "fenced");
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ["parked", "parked", "full"],
    );
    assert.equal((await store.totals(MAPPING)).records, 5);
  });
}
