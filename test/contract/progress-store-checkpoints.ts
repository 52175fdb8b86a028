import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { test } from "node:test";
import { type Checkpoint, initialCheckpoint } from "../../src/model/checkpoint.ts";
import {
  checkpointAt,
  look,
  MAPPING,
  newShard,
  type ProgressStoreHarness,
  take,
} from "./progress-store-harness.ts";

/** That a checkpoint comes back as it was written, and never goes back. */
export function describeCheckpointsContract(harness: ProgressStoreHarness): void {
  test("gives a checkpoint back as it was written, with every kind of member", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    const checkpoints: readonly Checkpoint[] = [
      initialCheckpoint({ kind: "timestamp", epochMs: 1_545_084_650_987 }),
      {
        revision: 2,
        resume: { kind: "after", position: "49590338271490256608559692538361571095921575989136588898" },
        settledRanges: [
          { from: "1", to: "3" },
          { from: "7", to: "7" },
        ],
        ended: false,
        window: { startMs: 60_000, stateJson: '{"größe":"漢字 \\" \\u2028"}' },
      },
      { ...checkpointAt(3, "8"), ended: true },
    ];
    for (const [index, checkpoint] of checkpoints.entries()) {
      const revised = { ...checkpoint, revision: index + 1 };
      assert.equal(await store.checkpoint(MAPPING, lease, revised), "stored");
      assert.deepEqual((await look(store, "a")).checkpoint, revised);
    }
  });

  test("never goes back: a revision that is not higher is stale and changes nothing", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(5, "50")), "stored");
    for (const revision of [4, 5]) {
      assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(revision, "40")), "stale");
    }
    assert.deepEqual((await look(store, "a")).checkpoint, checkpointAt(5, "50"));
    assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(6, "60")), "stored");
  });

  test("revisions count within an epoch: the first checkpoint of a new one is stored", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease: first } = await take(store, "a", "one");
    await store.checkpoint(MAPPING, first, checkpointAt(9, "50"));
    const { lease: second } = await take(store, "a", "two");
    assert.equal(await store.checkpoint(MAPPING, second, checkpointAt(1, "60")), "stored");
    assert.equal(await store.checkpoint(MAPPING, second, checkpointAt(1, "70")), "stale");
    assert.deepEqual((await look(store, "a")).checkpoint, checkpointAt(1, "60"));
  });

  test("a checkpoint is no sign of life: it leaves counter, epoch and owner alone", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease, progress } = await take(store, "a", "one");
    await store.checkpoint(MAPPING, lease, checkpointAt(1, "5"));
    assert.deepEqual(await look(store, "a"), { ...progress, checkpoint: checkpointAt(1, "5") });
  });

  test("carries five thousand settled ranges of long positions", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    const position = (index: number) => `4959033827149025660855969253836157109${index}`.padStart(56, "0");
    const settledRanges = Array.from({ length: 5_000 }, (_, index) => ({
      from: position(index * 10),
      to: position(index * 10 + 5),
    }));
    const big: Checkpoint = { ...checkpointAt(1, "5"), settledRanges };
    assert.equal(await store.checkpoint(MAPPING, lease, big), "stored");
    assert.deepEqual((await look(await fixture.open(), "a")).checkpoint, big);
  });

  test("carries the largest state of a window, also one that does not compress, and a small one after it", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a"), newShard("a#0")]);
    const { lease } = await take(store, "a", "one");
    const small = checkpointAt(3, "9");
    const [first, second] = [windowOf(1, "first"), windowOf(2, "second")];
    for (const checkpoint of [first, second]) {
      assert.equal(await store.checkpoint(MAPPING, lease, checkpoint), "stored");
      assert.deepEqual((await look(await fixture.open(), "a")).checkpoint, checkpoint);
    }
    assert.equal(await store.checkpoint(MAPPING, lease, first), "stale");
    const { lease: next, progress } = await take(store, "a", "two");
    assert.deepEqual(progress.checkpoint, second);
    assert.equal(await store.checkpoint(MAPPING, lease, windowOf(5, "fenced")), "fenced");
    assert.deepEqual(await look(store, "a"), progress);
    assert.equal(await store.checkpoint(MAPPING, next, small), "stored");
    assert.deepEqual((await look(store, "a")).checkpoint, small);
    await store.remove(MAPPING, "a");
    assert.equal((await store.list(MAPPING)).length, 1);
  });
}

/** A state of a MiB in base64 of bytes without a pattern. */
function windowOf(revision: number, seed: string): Checkpoint {
  const key = createHash("sha256").update(seed).digest();
  const bytes = createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(768 * 1024 - 2));
  const stateJson = JSON.stringify(bytes.toString("base64"));
  return { ...checkpointAt(revision, "5"), window: { startMs: 60_000, stateJson } };
}
