import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { MAPPING, manyShards } from "./progress-store-harness.ts";

const RACER = fileURLToPath(new URL("lease-racer.ts", import.meta.url));
const HANG = { timeout: 120_000 };
const SHARDS = 40;
const DAY_MS = 86_400_000;

export interface RaceTrack extends AsyncDisposable {
  /** For `--store`. */
  readonly url: string;
  open(): Promise<ProgressStore>;
}

/** Two processes take the same leases at the same moment; the clock of one is a day ahead, that of the other behind. */
export function testLeaseRace(name: string, createTrack: () => Promise<RaceTrack>): void {
  test(`of two processes with clocks days apart exactly one gets each lease: ${name}`, HANG, async () => {
    await using track = await createTrack();
    const store = await track.open();
    const shards = manyShards(SHARDS);
    await store.initialise(MAPPING, shards);
    const racers = [startRacer(track.url, "fast", DAY_MS), startRacer(track.url, "slow", -DAY_MS)];
    await Promise.all(racers.map((racer) => racer.ready));
    for (const racer of racers) racer.go();
    const taken = await Promise.all(racers.map((racer) => racer.taken));
    assert.deepEqual(
      taken.flat().toSorted(),
      shards.map(({ shard }) => shard.shardId),
    );
    for (const row of await store.list(MAPPING)) {
      const winner = taken[0]?.includes(row.shardId) ? "fast" : "slow";
      assert.deepEqual([row.owner, row.epoch, row.counter], [winner, 1, 2]);
    }
  });
}

function startRacer(url: string, owner: string, offsetMs: number) {
  const child = spawn(process.execPath, [RACER, url, MAPPING, owner, String(offsetMs)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ready = lines.next().then(({ value }) => assert.equal(value, "ready"));
  const taken = ready
    .then(() => lines.next())
    .then(async ({ value }): Promise<readonly string[]> => {
      if (child.exitCode === null) await once(child, "exit");
      assert.equal(child.exitCode, 0);
      return JSON.parse(String(value));
    });
  return { ready, taken, go: () => child.stdin.write("go\n") };
}
