import assert from "node:assert/strict";
import { test } from "node:test";
import { hasErrorCode } from "../../src/model/errors.ts";
import type { HeldLease, ProgressStore, ShardProgress } from "../../src/ports/progress-store.ts";
import {
  checkpointAt,
  look,
  MAPPING,
  newShard,
  type ProgressStoreHarness,
  sorted,
} from "./progress-store-harness.ts";
import { retried } from "./writes-refused.ts";

/** The writes of a store. Each changes what is listed, when it says that it took effect. */
interface Write {
  readonly name: string;
  /**
   * `round`: a number that no call before had. `rows`: what was last read. Gives whether the store says that it took
   * effect.
   */
  run(store: ProgressStore, round: number, rows: readonly ShardProgress[]): Promise<boolean>;
}

const OWNER = "one";

const WRITES: readonly Write[] = [
  {
    name: "acquire",
    async run(store, _round, rows) {
      return (await store.acquire(MAPPING, "b", OWNER, rowOf(rows, "b"))) !== undefined;
    },
  },
  {
    name: "renew",
    async run(store, _round, rows) {
      return (await store.renew(MAPPING, leaseOf(rows, "a"))).kind === "renewed";
    },
  },
  {
    name: "checkpoint",
    async run(store, round, rows) {
      const checkpoint = checkpointAt(round, "7".repeat(200));
      return (await store.checkpoint(MAPPING, leaseOf(rows, "a"), checkpoint)) === "stored";
    },
  },
  {
    name: "requestHandover",
    async run(store, round, rows) {
      await store.requestHandover(MAPPING, "a", rowOf(rows, "a"), `claimant-${round}`);
      return true;
    },
  },
  {
    name: "add",
    async run(store, round) {
      await store.add(MAPPING, [newShard(`added-${round}`)]);
      return true;
    },
  },
  {
    name: "release",
    async run(store, _round, rows) {
      return (await store.release(MAPPING, leaseOf(rows, "c"))) === "released";
    },
  },
  {
    name: "remove",
    async run(store) {
      await store.remove(MAPPING, "d");
      return true;
    },
  },
];

function rowOf(rows: readonly ShardProgress[], shardId: string): ShardProgress {
  const row = rows.find((each) => each.shardId === shardId);
  assert.ok(row !== undefined, `no record of shard ${shardId}`);
  return row;
}

function leaseOf(rows: readonly ShardProgress[], shardId: string): HeldLease {
  return { shardId, owner: OWNER, epoch: rowOf(rows, shardId).epoch };
}

const FAULT_ROUNDS = 3;

/** An answer counts when it is durable: what a store that cannot write says, and what it holds. */
export function describeDurabilityContract({ writeFaults }: ProgressStoreHarness): void {
  for (const { name, createStore } of writeFaults) {
    test(`what it answers on a ${name} is what another handle reads, and it works again afterwards`, async () => {
      await using fixture = await createStore();
      const [store, other] = [await fixture.open(), await fixture.open()];
      await store.initialise(
        MAPPING,
        ["a", "b", "c", "d"].map((id) => newShard(id)),
      );
      for (const shardId of ["a", "c"]) {
        await store.acquire(MAPPING, shardId, OWNER, await look(store, shardId));
      }
      let round = 1;
      const before = await sorted(other, MAPPING);
      await fixture.begin();
      for (let times = 0; times < FAULT_ROUNDS; times++)
        for (const write of WRITES) await assertRefused(write, store, other, round++, before);
      await fixture.end();
      assert.deepEqual(await retried(() => sorted(other, MAPPING)), before, "after the fault");
      for (const write of WRITES) {
        const rows = await sorted(other, MAPPING);
        assert.ok(await retried(() => write.run(store, round, rows)), `${write.name} works again`);
        assert.notDeepEqual(await sorted(other, MAPPING), rows, `${write.name} is read by another handle`);
        round += 1;
      }
    });
  }
}

/** The fault lets nothing be written: whatever says that it was is wrong, and so is what changed all the same. */
async function assertRefused(
  write: Write,
  store: ProgressStore,
  other: ProgressStore,
  round: number,
  before: readonly ShardProgress[],
): Promise<void> {
  let answer: unknown;
  try {
    answer = await write.run(store, round, before);
  } catch (error) {
    assert.ok(hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE"), `${write.name}: ${error}`);
    const after = await readable(other);
    if (after !== undefined) assert.deepEqual(after, before, `${write.name} was refused and changed rows`);
    return;
  }
  assert.fail(`${write.name} says ${JSON.stringify(answer)} while nothing can be written`);
}

async function readable(store: ProgressStore): Promise<readonly ShardProgress[] | undefined> {
  try {
    return await sorted(store, MAPPING);
  } catch (error) {
    assert.ok(hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE"), String(error));
    return undefined;
  }
}
