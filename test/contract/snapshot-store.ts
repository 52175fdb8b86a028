import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SNAPSHOT_BYTES_MAX, type SnapshotStore } from "../../src/ports/snapshot-store.ts";
import { rejectsWith } from "./rejects-with.ts";

export interface SnapshotStoreFixture extends AsyncDisposable {
  /** Another handle on the same content, as another process has it. */
  open(): Promise<SnapshotStore>;
}

export interface SnapshotStoreHarness {
  /** An empty store of its own for one test. Disposing closes all handles that were opened on it. */
  createStore(): Promise<SnapshotStoreFixture>;
}

const AT_MS = 1_764_460_800_000;

/** The laws of `src/ports/snapshot-store.ts` as named behaviours, which every adapter runs. */
export function describeSnapshotStoreContract(name: string, harness: SnapshotStoreHarness): void {
  describe(`${name} keeps the laws of a snapshot store`, { timeout: 120_000 }, () => {
    describeSnapshots(harness);
    describeAsking(harness);
    describePruning(harness);
  });
}

function describeSnapshots(harness: SnapshotStoreHarness): void {
  behaviour(harness, "has no snapshots at first", async (store) => {
    assert.deepEqual(await store.read(), []);
  });

  behaviour(
    harness,
    "reads what was written, byte for byte, also through another handle",
    async (store, open) => {
      const document = Uint8Array.from({ length: 1_000 }, (_, index) => index % 256);
      await store.write({ processId: "höst-17-ä/#%", atMs: AT_MS, document });
      const other = await open();
      assert.deepEqual(await contentOf(other), [["höst-17-ä/#%", AT_MS, [...document]]]);
    },
  );

  behaviour(harness, "puts a snapshot in the place of the last one of its process", async (store, open) => {
    const other = await open();
    await store.write({ processId: "a", atMs: AT_MS, document: bytes(1) });
    await other.write({ processId: "b", atMs: AT_MS + 1, document: bytes(2) });
    await store.write({ processId: "a", atMs: AT_MS - 5, document: bytes(3, 4) });
    assert.deepEqual(await contentOf(other), [
      ["a", AT_MS - 5, [3, 4]],
      ["b", AT_MS + 1, [2]],
    ]);
  });

  behaviour(harness, "keeps a snapshot of 32 KiB, and refuses a larger one", async (store) => {
    await store.write({ processId: "a", atMs: AT_MS, document: new Uint8Array(SNAPSHOT_BYTES_MAX).fill(7) });
    const document = new Uint8Array(SNAPSHOT_BYTES_MAX + 1);
    await rejectsWith("ERR_MILLRACE_INVARIANT", () =>
      store.write({ processId: "a", atMs: AT_MS + 1, document }),
    );
    const [kept] = await store.read();
    assert.deepEqual([kept?.atMs, kept?.document.byteLength], [AT_MS, SNAPSHOT_BYTES_MAX]);
  });

  behaviour(harness, "reads as many as there are, of whatever size", async (store) => {
    const ids = Array.from({ length: 60 }, (_, index) => `process-${String(index).padStart(2, "0")}`);
    const document = new Uint8Array(SNAPSHOT_BYTES_MAX).fill(9);
    for (const processId of ids) await store.write({ processId, atMs: AT_MS, document });
    assert.deepEqual((await store.read()).map(({ processId }) => processId).sort(), ids);
  });
}

function describeAsking(harness: SnapshotStoreHarness): void {
  behaviour(
    harness,
    "says until when somebody looks, and 0 as long as nobody has asked",
    async (store, open) => {
      const other = await open();
      assert.equal(await other.askedUntil(), 0);
      await store.ask(AT_MS);
      assert.equal(await other.askedUntil(), AT_MS);
      await other.ask(AT_MS + 30_000);
      assert.equal(await store.askedUntil(), AT_MS + 30_000);
    },
  );

  behaviour(
    harness,
    "moves forward with every question, also of one whose clock is behind",
    async (store) => {
      const seen: number[] = [];
      for (const untilMs of [AT_MS, AT_MS, AT_MS - 60_000, AT_MS + 5_000]) {
        await store.ask(untilMs);
        seen.push(await store.askedUntil());
      }
      assert.deepEqual(
        seen,
        [...new Set(seen)].toSorted((a, b) => a - b),
      );
      assert.equal(seen.at(-1), AT_MS + 5_000);
    },
  );
}

function describePruning(harness: SnapshotStoreHarness): void {
  const filled = async (store: SnapshotStore) => {
    for (const age of [3, 1, 2, 4]) {
      await store.write({ processId: `p${age}`, atMs: AT_MS - age, document: bytes(age) });
    }
  };

  behaviour(harness, "takes away what is older than a moment, and nothing else", async (store) => {
    await filled(store);
    await store.prune({ beforeMs: AT_MS - 2, keep: 100 });
    assert.deepEqual(
      (await contentOf(store)).map(([id]) => id),
      ["p1", "p2"],
    );
  });

  behaviour(harness, "keeps the newest", async (store) => {
    await filled(store);
    await store.ask(AT_MS);
    await store.prune({ beforeMs: 0, keep: 3 });
    assert.deepEqual(
      (await contentOf(store)).map(([id]) => id),
      ["p1", "p2", "p3"],
    );
    assert.equal(await store.askedUntil(), AT_MS);
  });
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

async function contentOf(
  store: SnapshotStore,
): Promise<readonly (readonly [string, number, readonly number[]])[]> {
  const found = await store.read();
  return found
    .map(({ processId, atMs, document }) => [processId, atMs, [...document]] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function behaviour(
  harness: SnapshotStoreHarness,
  sentence: string,
  prove: (store: SnapshotStore, open: () => Promise<SnapshotStore>) => Promise<void>,
): void {
  test(sentence, async () => {
    await using fixture = await harness.createStore();
    await prove(await fixture.open(), () => fixture.open());
  });
}
