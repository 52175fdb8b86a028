import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { type PackageStore, UNNEEDED_MS } from "../../src/ports/package-store.ts";

export interface PackageStoreFixture extends AsyncDisposable {
  /** Another handle on the same place, as another process has it. */
  open(): Promise<PackageStore>;
  /** Changes the bytes that are kept of a package, of the same length, as a disk or a person may. */
  damage(sha256: string, bytes: Uint8Array): Promise<void>;
}

export interface PackageStoreHarness {
  /** An empty place of its own for one test. */
  createStore(): Promise<PackageStoreFixture>;
}

const ARCHIVE = Buffer.from("PK, an archive of code \u{1f41f}");
const SHA256 = createHash("sha256").update(ARCHIVE).digest("hex");
const NOW_MS = Date.UTC(2026, 10, 30);
const NONE: ReadonlySet<string> = new Set();

/** The laws of `src/ports/package-store.ts` as named behaviours, which every adapter runs. */
export function describePackageStoreContract(name: string, harness: PackageStoreHarness): void {
  describe(`${name} keeps the laws of a package store`, { timeout: 120_000 }, () => {
    behaviour(harness, "names a package by its SHA-256, and has it then", async (store) => {
      assert.equal(await store.get(SHA256), undefined);
      assert.deepEqual(await store.put(ARCHIVE), { sha256: SHA256, bytes: ARCHIVE.length });
      assert.deepEqual(Buffer.from((await store.get(SHA256)) ?? []), ARCHIVE);
    });

    behaviour(harness, "has what was put through another handle", async (store, { open }) => {
      await store.put(ARCHIVE);
      const other = await open();
      assert.deepEqual(Buffer.from((await other.get(SHA256)) ?? []), ARCHIVE);
    });

    behaviour(harness, "takes the same package again, also by several at once", async (store, { open }) => {
      const other = await open();
      const puts = await Promise.all([store.put(ARCHIVE), other.put(ARCHIVE), store.put(ARCHIVE)]);
      for (const put of puts) assert.deepEqual(put, { sha256: SHA256, bytes: ARCHIVE.length });
      assert.deepEqual(Buffer.from((await store.get(SHA256)) ?? []), ARCHIVE);
    });

    behaviour(harness, "has nothing by a name that is no package's", async (store) => {
      await store.put(ARCHIVE);
      for (const odd of ["", "..", `../${SHA256}`, SHA256.toUpperCase(), "0".repeat(64)])
        assert.equal(await store.get(odd), undefined, odd);
    });

    behaviour(harness, "never hands out bytes that were changed", async (store, { damage }) => {
      await store.put(ARCHIVE);
      await damage(SHA256, Buffer.from(ARCHIVE).fill(0, 3, 5));
      await assert.rejects(store.get(SHA256), {
        code: "ERR_MILLRACE_PACKAGE",
        message: /its bytes are not those that were put there\. Put the code again/,
      });
    });

    behaviour(harness, "keeps what nothing needs for a day, and then no longer", async (store) => {
      await store.put(ARCHIVE);
      assert.deepEqual(await store.sweep(NONE, NOW_MS), []);
      assert.deepEqual(await store.sweep(NONE, NOW_MS + UNNEEDED_MS - 1), []);
      assert.notEqual(await store.get(SHA256), undefined);
      assert.deepEqual(await store.sweep(NONE, NOW_MS + UNNEEDED_MS), [SHA256]);
      assert.equal(await store.get(SHA256), undefined);
    });

    behaviour(harness, "keeps what is needed, and counts anew when it is no longer", async (store) => {
      await store.put(ARCHIVE);
      await store.sweep(NONE, NOW_MS);
      assert.deepEqual(await store.sweep(new Set([SHA256]), NOW_MS + UNNEEDED_MS), []);
      assert.deepEqual(await store.sweep(NONE, NOW_MS + UNNEEDED_MS + 1), []);
      assert.notEqual(await store.get(SHA256), undefined);
    });

    behaviour(harness, "keeps what was put again since nothing needed it", async (store, { open }) => {
      await store.put(ARCHIVE);
      await store.sweep(NONE, NOW_MS);
      await (await open()).put(ARCHIVE);
      assert.deepEqual(await store.sweep(NONE, NOW_MS + UNNEEDED_MS), []);
      assert.notEqual(await store.get(SHA256), undefined);
    });

    behaviour(harness, "sweeps an empty place", async (store) => {
      assert.deepEqual(await store.sweep(NONE, NOW_MS), []);
    });
  });
}

function behaviour(
  { createStore }: PackageStoreHarness,
  name: string,
  run: (store: PackageStore, fixture: PackageStoreFixture) => Promise<void>,
): void {
  test(name, async () => {
    await using fixture = await createStore();
    await run(await fixture.open(), fixture);
  });
}
