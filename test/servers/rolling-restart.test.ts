import assert from "node:assert/strict";
import { after, test } from "node:test";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import { createRandom } from "../chaos/chaos-plan.ts";
import { CHAOS_UUID, type ChaosWorld, openChaosWorld, pause } from "../chaos/chaos-world.ts";
import { findHandoverGaps, findOverlaps, findUnleasedCalls } from "../chaos/judge.ts";
import { startPostgres } from "./postgres.ts";

const HANG = { timeout: 600_000 };
const SHARDS = 32;
const APPEND_EVERY_MS = 250;
const RECORDS_AT_ONCE = 100;
/** A process joins in two terms of a lease: it asks for a shard at a time, at each look, and each is drained first. */
const BALANCE_TERMS = 2;
const { leaseDurationMs } = DEFAULT_SETTINGS;
const server = await startPostgres();
after(() => server.close());

test(
  "three processes are replaced one by one, become five and two, and no record is lost or repeated",
  HANG,
  async (t) => {
    const world = await openChaosWorld({ shards: SHARDS, failShare: 0, random: createRandom(1) }, server);
    const { fleet, witness, feed } = world;
    const feeding = startFeeding(world);
    t.after(async () => {
      await feeding.stop().catch(() => undefined);
      await world.close();
    });
    const balancedMs: number[] = [];
    const scaleTo = async (processes: number) => {
      const startMs = Date.now();
      while (fleet.size < processes) await fleet.start();
      await until(() => fleet.ready.length >= processes, "the processes did not start");
      while (fleet.size > processes) await fleet.stop(fleet.ready[0] ?? 0);
      await balanced(world, processes);
      balancedMs.push(Date.now() - startMs);
    };

    /** As a deployment does: the next one is ready before one is stopped. */
    const replaceAll = async () => {
      const processes = fleet.size;
      for (const life of fleet.ready) {
        await fleet.start();
        await until(() => fleet.ready.length === processes + 1, "the replacement did not start");
        await fleet.stop(life);
      }
      await balanced(world, processes);
    };

    await scaleTo(1);
    await scaleTo(3);
    await replaceAll();
    await scaleTo(5);
    await scaleTo(2);
    await feeding.stop();
    await until(() => feed.lost(witness) === 0, "records are left");
    await Promise.all(fleet.ready.map((life) => fleet.stop(life)));

    const { leases, setBack } = await world.readLedger();
    const { calls } = witness;
    const gapsMs = findHandoverGaps(calls, fleet.disturbances).toSorted((a, b) => a - b);
    t.diagnostic(
      `${feed.appended} records, ${calls.length} invocations, ${gapsMs.length} hand-overs, the longest gap ` +
        `${gapsMs.at(-1)} ms; balanced after ${balancedMs.join(", ")} ms (${BALANCE_TERMS} terms: ${BALANCE_TERMS * leaseDurationMs} ms)`,
    );
    assert.deepEqual(fleet.accidents, []);
    assert.deepEqual(witness.breaches, []);
    assert.deepEqual(witness.repeats, []);
    assert.deepEqual(findOverlaps(calls, fleet.disturbances), []);
    assert.deepEqual(findUnleasedCalls(calls, leases), []);
    assert.deepEqual(setBack, []);
  },
);

/** Each process has its even share of the shards, and none is without an owner. */
async function balanced({ store }: ChaosWorld, processes: number): Promise<void> {
  const least = Math.floor(SHARDS / processes);
  let loads: readonly number[] = [];
  await until(
    async () => {
      const counts = new Map<string, number>();
      for (const { owner } of await store.list(CHAOS_UUID))
        if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1);
      loads = [...counts.values()];
      const sum = loads.reduce((total, load) => total + load, 0);
      return sum === SHARDS && loads.length === processes && Math.min(...loads) >= least;
    },
    () => `the shards are shared as ${loads.join(", ")}`,
  );
}

function startFeeding({ feed }: ChaosWorld) {
  let isStopped = false;
  const feeding = (async () => {
    while (!isStopped) {
      feed.append(RECORDS_AT_ONCE);
      await pause(APPEND_EVERY_MS);
    }
  })();
  return {
    stop: () => {
      isStopped = true;
      return feeding;
    },
  };
}

async function until(
  isTrue: () => boolean | Promise<boolean>,
  problem: string | (() => string),
): Promise<void> {
  const endMs = Date.now() + 120_000;
  while (!(await isTrue())) {
    if (Date.now() > endMs) throw new Error(typeof problem === "string" ? problem : problem());
    await pause(100);
  }
}
