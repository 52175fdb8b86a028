import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LeaseBook } from "../../../src/leases/lease-book.ts";
import { initialCheckpoint } from "../../../src/model/checkpoint.ts";
import type { ShardProgress } from "../../../src/ports/progress-store.ts";

const LEASE_MS = 10_000;
const RENEWAL_MS = 1_000;
const TIMES = { leaseDurationMs: LEASE_MS, leaseRenewalMs: RENEWAL_MS };

describe("lease book", () => {
  test("does not ask an owner of one shard for it while another shard is between two owners", () => {
    // Simulation, seed 10883: four processes handed three shards round for ever.
    const rows = [row("a", undefined, "two"), row("b", "one"), row("c", "three")];
    assert.equal(planOf("four", rows).request, undefined);
  });

  test("asks the owner that has two shards more than it", () => {
    const rows = [row("a", "one"), row("b", "one")];
    assert.equal(planOf("two", rows).request?.shardId, "a");
  });

  test("leaves a released shard to the process that asked for it", () => {
    const rows = [row("a", undefined, "two"), row("b", "one")];
    assert.deepEqual(planOf("three", rows).acquire, []);
    assert.deepEqual(
      planOf("two", rows).acquire.map(({ shardId }) => shardId),
      ["a"],
    );
  });

  test("takes a released shard whose taker does not come within three renewals", () => {
    // Chaos, 200 kills: whoever had asked was dead, and its shard stood still for another lease.
    const book = new LeaseBook("three", TIMES);
    const rows = [row("a", undefined, "dead"), row("b", "three")];
    book.observe(rows, 0);
    const planAt = (nowMs: number) => book.plan(rows, new Set(["b"]), nowMs);
    assert.deepEqual(planAt(3 * RENEWAL_MS - 1).acquire, []);
    assert.equal(planAt(3 * RENEWAL_MS - 1).dueInMs, 1);
    assert.deepEqual(
      planAt(3 * RENEWAL_MS + RENEWAL_MS / 2).acquire.map(({ shardId }) => shardId),
      ["a"],
    );
  });

  test("takes a lease only when its counter has stood still for the whole lease, by its own clock", () => {
    const book = new LeaseBook("two", TIMES);
    const rows = [row("a", "one")];
    book.observe(rows, 1_000);
    assert.deepEqual(book.plan(rows, new Set(), 1_000 + LEASE_MS - 1).acquire, []);
    assert.equal(book.plan(rows, new Set(), 1_000 + LEASE_MS).acquire.length, 1);
    const moved = rows.map((each) => ({ ...each, counter: each.counter + 1 }));
    book.observe(moved, 1_000 + LEASE_MS);
    assert.deepEqual(book.plan(moved, new Set(), 1_000 + LEASE_MS + 1).acquire, []);
  });

  test("takes more than its share of what nobody else has taken for half a renewal interval", () => {
    // Simulation, seed 42178: a process that had just joined had to watch orphaned leases for their whole time.
    const book = new LeaseBook("one", TIMES);
    const rows = [row("a", "one"), row("b", "two"), row("c", "dead"), row("d", "dead")];
    const atMs = (nowMs: number) => {
      const renewed = rows.map((each) => (each.owner === "two" ? { ...each, counter: nowMs } : each));
      book.observe(renewed, nowMs);
      return book.plan(renewed, new Set(["a"]), nowMs).acquire.map(({ shardId }) => shardId);
    };
    atMs(0);
    assert.deepEqual(atMs(LEASE_MS), ["c"]);
    assert.deepEqual(atMs(LEASE_MS + RENEWAL_MS / 2), ["c", "d"]);
  });

  test("says when a lease that stands still is free, so that its shard does not wait for the next look", () => {
    const book = new LeaseBook("two", TIMES);
    const rows = [row("a", "one"), row("b", "two")];
    book.observe(rows, 0);
    const dueInMs = (nowMs: number) => book.plan(rows, new Set(["b"]), nowMs).dueInMs;
    assert.equal(dueInMs(0), LEASE_MS);
    assert.equal(dueInMs(LEASE_MS - 300), 300);
    assert.equal(dueInMs(LEASE_MS), RENEWAL_MS / 2, "when it is left over");
    assert.equal(dueInMs(LEASE_MS + RENEWAL_MS), Number.POSITIVE_INFINITY);
  });
});

function planOf(owner: string, rows: readonly ShardProgress[]) {
  const book = new LeaseBook(owner, TIMES);
  book.observe(rows, 0);
  return book.plan(rows, new Set(), 1);
}

function row(shardId: string, owner: string | undefined, handoverTo?: string): ShardProgress {
  const checkpoint = initialCheckpoint({ kind: "oldest" });
  return { shardId, parentShardIds: [], owner, epoch: 1, counter: 1, handoverTo, checkpoint };
}
