import assert from "node:assert/strict";
import { test } from "node:test";
import { RowSightings } from "../../../../src/engine/stream/row-sightings.ts";
import { listWithParents } from "../../../../src/engine/stream/unlisted-parents.ts";
import { initialCheckpoint } from "../../../../src/model/checkpoint.ts";
import type { Shard } from "../../../../src/model/record.ts";
import type { ShardProgress } from "../../../../src/ports/progress-store.ts";
import type { StreamSource } from "../../../../src/ports/stream-source.ts";

test("a listing that had begun before a row was seen as another log is no word of its shard", () => {
  const sightings = new RowSightings();
  const listed = new Map([["a", shard("a", "old")]]);
  sightings.listing()();
  assert.deepEqual([...sightings.unsure([row("a", "old")], listed)], []);
  assert.deepEqual([...sightings.unsure([row("a", "new")], listed)], ["a"]);
  sightings.listing()();
  assert.deepEqual([...sightings.unsure([row("a", "new")], listed)], [], "now the listing is the newer word");
});

test("a listing that was under way when the row was seen is an older word, too", () => {
  const sightings = new RowSightings();
  const listed = new Map([["a", shard("a", "old")]]);
  const come = sightings.listing();
  sightings.unsure([row("a", "new")], listed);
  come();
  assert.deepEqual([...sightings.unsure([row("a", "new")], listed)], ["a"]);
});

test("a child that another process found waits for a listing that shows it: its parents may be other logs by now", () => {
  const sightings = new RowSightings();
  const listed = new Map([["parent", shard("parent", "old")]]);
  const parent = row("parent", "old");
  const child: ShardProgress = { ...row("child", "new"), parentShardIds: ["parent"] };
  sightings.listing()();
  sightings.unsure([parent], listed);
  assert.deepEqual([...sightings.unsure([parent, child], listed)], ["child"]);
  const begun: ShardProgress = { ...child, checkpoint: { ...child.checkpoint, revision: 1 } };
  assert.deepEqual([...sightings.unsure([parent, begun], listed)], [], "what is worked on already goes on");
  sightings.listing()();
  assert.deepEqual(
    [...sightings.unsure([parent, child], listed)],
    [],
    "a newer listing leaves it out: it is asked for",
  );
});

test("a first listing is made again while the source knows a parent that it leaves out", async () => {
  const parent = shard("parent", "log");
  const child: Shard = { ...shard("child", "log"), parentShardIds: ["parent"] };
  let listings = 0;
  const source = sourceOf(
    async () => (++listings < 3 ? [child] : [parent, child]),
    async () => true,
  );
  const { shards, past } = await listWithParents(source, AbortSignal.timeout(60_000));
  assert.deepEqual(
    [listings, shards.map(({ shardId }) => shardId).sort(), past],
    [3, ["child", "parent"], []],
  );
});

test("a parent that the source denies is past and known by the log of its child; one that it never shows is not", async () => {
  const child: Shard = { ...shard("child", "log"), parentShardIds: ["parent"] };
  for (const [isKnown, listings, logId] of [
    [false, 1, "log"],
    [true, 5, undefined],
  ] as const) {
    let listed = 0;
    const source = sourceOf(
      async () => {
        listed++;
        return [child];
      },
      async () => isKnown,
    );
    const { past } = await listWithParents(source, AbortSignal.timeout(60_000));
    assert.deepEqual(
      past.map(({ shard: { shardId }, checkpoint }) => [shardId, checkpoint.ended, checkpoint.logId]),
      [["parent", true, logId]],
    );
    assert.equal(listed, listings);
  }
});

function sourceOf(
  listShards: StreamSource["listShards"],
  knowsShard: NonNullable<StreamSource["knowsShard"]>,
): Pick<StreamSource, "listShards" | "knowsShard"> {
  return { listShards, knowsShard };
}

function shard(shardId: string, logId: string): Shard {
  return { shardId, parentShardIds: [], closed: false, logId };
}

function row(shardId: string, logId: string): ShardProgress {
  return {
    shardId,
    parentShardIds: [],
    owner: undefined,
    epoch: 1,
    counter: 1,
    handoverTo: undefined,
    checkpoint: { ...initialCheckpoint({ kind: "oldest" }, false), logId },
  };
}
