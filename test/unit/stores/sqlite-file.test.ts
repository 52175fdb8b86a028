import assert from "node:assert/strict";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { initialCheckpoint } from "../../../src/model/checkpoint.ts";
import type { HeldLease, ProgressStore } from "../../../src/ports/progress-store.ts";
import { openSqliteStore } from "../../../src/stores/sqlite.ts";
import { openSqliteResourceStore } from "../../../src/stores/sqlite-resources.ts";
import { rejectsWith } from "../../contract/rejects-with.ts";
import { SteppedWaits } from "../sqlite/stepped-waits.ts";

const MAPPING = "11111111-1111-4111-8111-111111111111";
const OTHER_MAPPING = "22222222-2222-4222-8222-222222222222";
const SHARD = {
  shard: { shardId: "shard-a", parentShardIds: [], closed: false },
  checkpoint: initialCheckpoint({ kind: "oldest" }),
};

test("a store whose file was removed refuses every call, and works again when the file is back", async () => {
  using place = temporaryPlace();
  const store = await openSqliteStore(place.path);
  const lease = await started(store);
  place.moveAway();
  const calls = [
    () => store.list(MAPPING),
    () => store.renew(MAPPING, lease),
    () => store.checkpoint(MAPPING, lease, { ...SHARD.checkpoint, revision: 1 }),
    () => store.initialise(OTHER_MAPPING, [SHARD]),
    () => store.remove(MAPPING),
  ];
  for (const call of calls) {
    const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", call);
    assert.match(error.message, /was removed while this process used it/);
  }
  assert.equal(existsSync(place.path), false, "nothing is made in its place by who still runs");
  place.moveBack();
  assert.equal((await store.renew(MAPPING, lease)).kind, "renewed");
  await store.close();
});

test("where another file is in the place of the store's, its former leases are fenced and the new owner stays alone", async () => {
  using place = temporaryPlace();
  const former = await openSqliteStore(place.path);
  const lease = await started(former);
  place.moveAway();
  const present = await openSqliteStore(place.path);
  await started(present, "two");
  assert.deepEqual(await former.renew(MAPPING, lease), { kind: "fenced" });
  assert.equal(await former.checkpoint(MAPPING, lease, { ...SHARD.checkpoint, revision: 9 }), "fenced");
  assert.equal(await former.release(MAPPING, lease), "fenced");
  const [row] = await present.list(MAPPING);
  assert.deepEqual([row?.owner, row?.epoch, row?.checkpoint.revision], ["two", 1, 0]);
  await former.close();
  await present.close();
});

test("a store that was replaced says so once to each mapping and then goes on with the new file", async () => {
  using place = temporaryPlace();
  const store = await openSqliteStore(place.path);
  const mappings = await openSqliteResourceStore(place.path);
  await started(store);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(place.path + suffix, { force: true });
  await (await openSqliteStore(place.path)).close();
  const tellers = [
    () => store.list(MAPPING),
    () => store.list(OTHER_MAPPING),
    () => mappings.newestVersion(),
  ];
  for (const ask of tellers) {
    const { message } = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", ask);
    assert.match(message, /another file is in its place/);
  }
  assert.deepEqual(await store.list(MAPPING), []);
  assert.deepEqual(await store.list(OTHER_MAPPING), []);
  assert.equal(await mappings.newestVersion(), 0);
  await started(store);
  await store.close();
  await mappings.close();
});

test("a file that was restored from a copy while in use goes on with what the copy says", async () => {
  using place = temporaryPlace();
  const store = await openSqliteStore(place.path);
  const lease = await started(store);
  await store.close();
  copyFileSync(place.path, `${place.path}.copy`);
  const running = await openSqliteStore(place.path);
  await running.checkpoint(MAPPING, lease, { ...SHARD.checkpoint, revision: 5 });
  renameSync(`${place.path}.copy`, place.path);
  for (const suffix of ["-wal", "-shm"]) rmSync(place.path + suffix, { force: true });
  assert.equal((await running.renew(MAPPING, lease)).kind, "renewed");
  await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => running.list(MAPPING));
  assert.equal((await running.list(MAPPING))[0]?.checkpoint.revision, 0);
  assert.equal(await running.checkpoint(MAPPING, lease, { ...SHARD.checkpoint, revision: 6 }), "stored");
  await running.close();
});

test("leases are looked at within a second of the file's removal, without a call", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  using place = temporaryPlace();
  const store = await openSqliteStore(place.path);
  let looks = 0;
  const end = store.onChange?.(MAPPING, () => {
    looks += 1;
  });
  t.mock.timers.tick(5_000);
  assert.equal(looks, 0);
  place.moveAway();
  t.mock.timers.tick(1_000);
  assert.equal(looks, 1);
  end?.();
  t.mock.timers.tick(5_000);
  assert.equal(looks, 1);
  await store.close();
});

test("who closes a store that was replaced takes nothing from the new file", async () => {
  using place = temporaryPlace();
  const former = await openSqliteStore(place.path);
  await started(former);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(place.path + suffix, { force: true });
  const present = await openSqliteStore(place.path);
  await started(present, "two");
  await former.close();
  const witness = await openSqliteStore(place.path);
  assert.equal((await witness.list(MAPPING))[0]?.owner, "two");
  await witness.close();
  await present.close();
});

test("the log that a removed file left behind is not taken for the new file's", async () => {
  using place = temporaryPlace();
  const former = await openSqliteStore(place.path);
  await started(former);
  rmSync(place.path);
  assert.ok(existsSync(`${place.path}-wal`));
  const present = await openSqliteStore(place.path);
  assert.deepEqual(await present.list(MAPPING), []);
  await present.close();
  await former.close();
});

test("a call on a locked store waits without holding the event loop, and is made once the lock is free", async () => {
  using place = temporaryPlace();
  const waits = new SteppedWaits();
  const store = await openSqliteStore(place.path, { clock: waits });
  const other = lock(place.path);
  const call = store.initialise(MAPPING, [SHARD]);
  await waits.sleeping();
  // The loop was free: this line runs while the call waits.
  unlock(other);
  waits.wake();
  await call;
  assert.equal((await store.list(MAPPING)).length, 1);
  await store.close();
});

test("calls that wait for a lock are made in their order, and fail when it is held too long", async () => {
  using place = temporaryPlace();
  const waits = new SteppedWaits();
  const store = await openSqliteStore(place.path, { clock: waits });
  const lease = await started(store);
  const other = lock(place.path);
  const done: string[] = [];
  const first = store
    .checkpoint(MAPPING, lease, { ...SHARD.checkpoint, revision: 1 })
    .then((answer) => done.push(`first ${answer}`));
  const second = store
    .checkpoint(MAPPING, lease, { ...SHARD.checkpoint, revision: 2 })
    .then((answer) => done.push(`second ${answer}`));
  await waits.sleeping();
  unlock(other);
  waits.wake();
  await Promise.all([first, second]);
  assert.deepEqual(done, ["first stored", "second stored"]);
  const again = lock(place.path);
  const late = rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.renew(MAPPING, lease));
  await waits.sleeping();
  waits.advance(60_000);
  waits.wake();
  assert.match((await late).message, /locked/);
  unlock(again);
  assert.equal((await store.renew(MAPPING, lease)).kind, "renewed");
  await store.close();
});

test("a store is for its owner only, also one that was made for all", async () => {
  using place = temporaryPlace();
  const store = await openSqliteStore(place.path);
  await started(store);
  const modes = () =>
    ["", "-wal", "-shm"].map((suffix) => (statSync(place.path + suffix).mode & 0o777).toString(8));
  assert.deepEqual(modes(), ["600", "600", "600"]);
  for (const suffix of ["", "-wal", "-shm"]) chmodSync(place.path + suffix, 0o644);
  const again = await openSqliteResourceStore(place.path);
  assert.deepEqual(modes(), ["600", "600", "600"]);
  await again.close();
  await store.close();
});

test("a file that is no store keeps its rights", async () => {
  using place = temporaryPlace();
  const foreign = new DatabaseSync(place.path);
  foreign.exec("CREATE TABLE customer (name TEXT)");
  foreign.close();
  chmodSync(place.path, 0o644);
  await rejectsWith("ERR_MILLRACE_STORE_CORRUPT", () => openSqliteStore(place.path));
  assert.equal(statSync(place.path).mode & 0o777, 0o644);
});

async function started(store: ProgressStore, owner = "one"): Promise<HeldLease> {
  await store.initialise(MAPPING, [SHARD]);
  const taken = await store.acquire(MAPPING, "shard-a", owner, { epoch: 0, counter: 0 });
  assert.ok(taken !== undefined);
  return { shardId: "shard-a", owner, epoch: taken.epoch };
}

function lock(path: string): DatabaseSync {
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  return other;
}

function unlock(other: DatabaseSync): void {
  other.exec("ROLLBACK");
  other.close();
}

function temporaryPlace() {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  const path = join(folder, "progress.db");
  const move = (from: string, to: string) => {
    for (const suffix of ["", "-wal", "-shm"]) {
      if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
    }
  };
  return {
    path,
    moveAway: () => move(path, `${path}.away`),
    moveBack: () => move(`${path}.away`, path),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
