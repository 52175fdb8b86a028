import assert from "node:assert/strict";
import type { ParkedKey, ParkedKeyState } from "../../src/model/parked-key.ts";
import type { ParkedKeyStore } from "../../src/ports/parked-keys.ts";
import {
  behaviour,
  CAUSE,
  DRAINER,
  keyOf,
  MAPPING,
  opened,
  type ParkedKeysHarness,
  parked,
  waiting,
} from "./parked-keys-harness.ts";

/** What becomes of keys once they are parked. */
export function describeParkedKeysDraining(harness: ParkedKeysHarness): void {
  describeAdvancing(harness);
  describeClosing(harness);
  describeDiscarding(harness);
  describeMoving(harness);
}

function describeAdvancing(harness: ParkedKeysHarness): void {
  behaviour(harness, "take away what is over, and nothing behind it", async (store, open) => {
    const { id } = await draining(store, "a", "1", "2", "3");
    assert.equal(await advance(store, id, 2), "open");
    assert.deepEqual(await waiting(await open(), id), ["3"]);
    const [left] = await store.list(MAPPING, "", 10);
    const totals = await store.totals(MAPPING);
    assert.deepEqual([left?.records, left?.bytes], [1, totals.bytes]);
    assert.equal(totals.records, 1);
  });

  behaviour(harness, "let the newest drainer take away, and none before it", async (store) => {
    const { id } = await draining(store, "a", "1", "2");
    assert.equal(await store.drain({ ...DRAINER, epoch: 5 }), "open");
    assert.equal(await store.drain({ ...DRAINER, epoch: 5 }), "open");
    assert.equal(await store.drain({ ...DRAINER, epoch: 4 }), "fenced");
    assert.equal(await advance(store, id, 1), "fenced");
    assert.equal(await advance(store, id, 1, 4), "fenced");
    assert.deepEqual(await waiting(store, id), ["1", "2"]);
    assert.equal(await advance(store, id, 1, 5), "open");
    assert.equal(await store.drain({ mapping: "another", epoch: 1 }), "open");
  });

  behaviour(
    harness,
    "take nothing of a key that came anew by what was meant for the one before",
    async (store) => {
      const writer = await opened(store);
      const { id, version } = await parked(writer, "a", "1", "2");
      await store.drain(DRAINER);
      await store.move(MAPPING, id, version, { kind: "draining" });
      const seqs = (await store.head(MAPPING, id, 10, 1_000)).map(({ seq }) => seq);
      const last = seqs.at(-1) ?? 0;
      assert.equal(await store.advance(DRAINER, id, last), "closed");
      assert.equal(await store.advance(DRAINER, id, last), "closed", "the same again");
      await parked(writer, "a", "3");
      assert.equal(await store.advance(DRAINER, id, last), "open");
      assert.deepEqual(await waiting(store, id), ["3"]);
    },
  );
}

function describeClosing(harness: ParkedKeysHarness): void {
  behaviour(harness, "close a key with the last of its entries, and let none follow it", async (store) => {
    const { id, tailVersion } = await draining(store, "a", "1");
    const writer = await opened(store);
    assert.equal(await advance(store, id, 1), "closed");
    assert.equal(await store.get(MAPPING, id), undefined);
    const { keys, records, bytes } = await store.totals(MAPPING);
    assert.deepEqual([keys, records, bytes], [0, 0, 0]);
    assert.deepEqual(await writer.append("a", tailVersion, "2"), { kind: "notParked" });
  });

  behaviour(harness, "close no key behind which a record was put meanwhile", async (store) => {
    const writer = await opened(store);
    const { id, tailVersion, version } = await parked(writer, "a", "1");
    await store.drain(DRAINER);
    await store.move(MAPPING, id, version, { kind: "draining" });
    const [head] = await store.head(MAPPING, id, 10, 1_000);
    keyOf(await writer.append("a", tailVersion, "2"));
    assert.equal(await store.advance(DRAINER, id, head?.seq ?? 0), "open");
    assert.deepEqual(await waiting(store, id), ["2"]);
  });

  behaviour(harness, "close no key that is parked, though nothing of it is left", async (store) => {
    const key = await draining(store, "a", "1");
    const again = await store.move(MAPPING, key.id, key.version, { kind: "parked" });
    assert.ok(again !== "stale");
    assert.equal(await advance(store, key.id, 1), "open");
    assert.equal((await store.get(MAPPING, key.id))?.records, 0);
    await store.move(MAPPING, key.id, again.version, { kind: "draining" });
    assert.equal(await store.advance(DRAINER, key.id, 0), "closed");
  });
}

function describeDiscarding(harness: ParkedKeysHarness): void {
  behaviour(harness, "go on as was said once what is discarded is over", async (store) => {
    const writer = await opened(store);
    await store.drain(DRAINER);
    for (const next of ["parked", "draining"] as const) {
      const key = await parked(writer, next, "1", "2", "3");
      const seqs = (await store.head(MAPPING, key.id, 10, 1_000)).map(({ seq }) => seq);
      const [first = 0, through = 0] = seqs;
      const discarding: ParkedKeyState = { kind: "discarding", through, next };
      const moved = await store.move(MAPPING, key.id, key.version, discarding);
      assert.ok(moved !== "stale");
      assert.deepEqual(await store.get(MAPPING, key.id), moved);
      assert.equal(await store.advance(DRAINER, key.id, first), "open");
      assert.deepEqual((await store.get(MAPPING, key.id))?.state, discarding);
      assert.equal(await store.advance(DRAINER, key.id, through), "open");
      const left = await store.get(MAPPING, key.id);
      assert.deepEqual([left?.state, left?.version], [{ kind: next }, moved.version + 1]);
      assert.deepEqual(await waiting(store, key.id), ["3"]);
    }
  });

  behaviour(harness, "keep a key whose records were all discarded, until it is drained", async (store) => {
    const writer = await opened(store);
    await store.drain(DRAINER);
    const key = await parked(writer, "a", "1");
    const [entry] = await store.head(MAPPING, key.id, 1, 1_000);
    const through = entry?.seq ?? 0;
    await store.move(MAPPING, key.id, key.version, { kind: "discarding", through, next: "draining" });
    assert.equal(await store.advance(DRAINER, key.id, through), "open");
    keyOf(await writer.append("a", key.tailVersion, "2"));
    assert.deepEqual(await waiting(store, key.id), ["2"]);
  });
}

function describeMoving(harness: ParkedKeysHarness): void {
  behaviour(harness, "change a state at the version that was seen, and not at another", async (store) => {
    const key = await parked(await opened(store), "a", "1");
    assert.equal(await store.move(MAPPING, key.id, key.version + 1, { kind: "draining" }), "stale");
    assert.deepEqual(await store.get(MAPPING, key.id), key);
    const moved = await store.move(MAPPING, key.id, key.version, { kind: "draining" });
    assert.deepEqual(moved, { ...key, state: { kind: "draining" }, version: key.version + 1 });
    assert.equal(await store.move(MAPPING, key.id, key.version, { kind: "draining" }), "stale");
  });

  behaviour(harness, "keep the cause of a key, or take its new one", async (store) => {
    const key = await draining(store, "a", "1");
    const cause = { ...CAUSE, error: undefined, position: "7" };
    const failed = await store.move(MAPPING, key.id, key.version, { kind: "parked" }, cause);
    assert.ok(failed !== "stale");
    assert.deepEqual((await store.get(MAPPING, key.id))?.cause, cause);
    await store.move(MAPPING, key.id, failed.version, { kind: "draining" });
    assert.deepEqual((await store.get(MAPPING, key.id))?.cause, cause);
  });

  behaviour(harness, "let one of several that move a key at once have its way", async (store, open) => {
    const key = await parked(await opened(store), "a", "1");
    const others = await Promise.all(Array.from({ length: 4 }, open));
    const answers = await Promise.all(
      [store, ...others].map((each) => each.move(MAPPING, key.id, key.version, { kind: "draining" })),
    );
    assert.equal(answers.filter((answer) => answer !== "stale").length, 1);
    assert.equal((await store.get(MAPPING, key.id))?.version, key.version + 1);
  });

  behaviour(
    harness,
    "count a version up when a key comes, moves or goes, and not with its records",
    async (store) => {
      const version = async () => (await store.totals(MAPPING)).version;
      const writer = await opened(store);
      const seen = [await version()];
      const key = await parked(writer, "a", "1", "2");
      seen.push(await version());
      const { tailVersion } = keyOf(await writer.append("a", key.tailVersion, "3"));
      assert.equal(await version(), seen.at(-1));
      await store.drain(DRAINER);
      await store.move(MAPPING, key.id, key.version, { kind: "draining" });
      seen.push(await version());
      await writer.append("a", tailVersion, "4");
      await advance(store, key.id, 1);
      assert.equal(await version(), seen.at(-1));
      await advance(store, key.id, 4);
      seen.push(await version());
      assert.deepEqual(
        seen,
        [...new Set(seen)].sort((a, b) => a - b),
      );
    },
  );
}

/** A key that is drained, with these. */
async function draining(
  store: ParkedKeyStore,
  key: string,
  ...positions: readonly string[]
): Promise<ParkedKey> {
  const { id, version } = await parked(await opened(store), key, ...positions);
  assert.equal(await store.drain(DRAINER), "open");
  const moved = await store.move(MAPPING, id, version, { kind: "draining" });
  assert.ok(moved !== "stale");
  return moved;
}

/** So many of the first entries are over. */
async function advance(store: ParkedKeyStore, id: string, entries: number, epoch = DRAINER.epoch) {
  const head = await store.head(MAPPING, id, entries, 1_000_000);
  return await store.advance({ ...DRAINER, epoch }, id, head.at(-1)?.seq ?? 0);
}
