import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AwsEmulator } from "../../servers/aws-emulator.ts";
import type { MillraceProcess } from "../cli/millrace-process.ts";
import { until } from "../cli/millrace-process.ts";
import { FailingWorld } from "./failing-world.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

const RECORDS = 1_000;
const KEYS = 87;
const KILLS = 10;

interface Status {
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
}

for (const place of ["file", "s3"] as const) {
  test(`${RECORDS} failures of ${KEYS} keys come back from a ${place} in order, none twice, over ten kills`, {
    timeout: 900_000,
  }, async (t) => {
    const destination = place === "file" ? "file:failed.jsonl" : await bucket();
    const world = await FailingWorld.create(t, { records: RECORDS, keys: KEYS, shards: 3, destination });
    let run = world.run();
    await world.givenUp(run, RECORDS);
    world.isBroken = false;

    const { plan } = await world.json(
      await run.apiUrl(),
      "redrive",
      "--mapping",
      "orders-stream",
      "--dry-run",
    );
    assert.deepEqual(
      [plan.failures, plan.records, plan.keys, plan.shards],
      [RECORDS, RECORDS, KEYS, 3],
      "a dry run says beforehand what will happen",
    );
    assert.deepEqual(plan.payload, { kept: RECORDS, gone: 0, unseen: 0, reread: 0 });
    assert.equal(world.worked().length, 0, "and does nothing");

    const words = ["redrive", "--mapping", "orders-stream", "--name", "back", "--detach"];
    await world.json(await run.apiUrl(), ...words);
    for (let kill = 1; kill <= KILLS; kill++) {
      run = await killedAt(world, run, Math.floor((kill * RECORDS) / (KILLS + 1)));
    }
    const first = await ended(run, "back");
    const { done = 0, uncertain = 0, held = 0, failed, gone, selected, loaded } = first.counts;
    assert.deepEqual(
      { failed, gone, selected, loaded },
      { failed: 0, gone: 0, selected: RECORDS, loaded: RECORDS },
    );
    assert.equal(done + uncertain + held, RECORDS, "counts add up");
    const once = world.worked();
    assert.equal(new Set(once).size, once.length, "none twice");
    assert.ok(once.length >= done && once.length <= done + uncertain, "uncertain is what may have run");
    assertOrder(once);

    const begun = new Set(once);
    let status = first;
    for (let round = 0; status.counts["uncertain"] !== 0 && round < 5; round++) {
      await world.json(await run.apiUrl(), "redrive", "back", "--retry-uncertain");
      status = await ended(run, "back");
    }
    assert.deepEqual(
      { done: status.counts["done"], uncertain: status.counts["uncertain"], held: status.counts["held"] },
      { done: RECORDS, uncertain: 0, held: 0 },
    );
    const all = world.worked();
    assert.equal(new Set(all).size, RECORDS, "each has been there");
    const repeats = all.length - RECORDS;
    assert.ok(
      repeats <= uncertain && all.slice(once.length).filter((data) => begun.has(data)).length === repeats,
    );
    assertOrder([...new Set(all)]);

    await until(
      async () => {
        const { failures } = await world.json(await run.apiUrl(), "list", "--max", "2000");
        return failures.every(({ state }: { state: string }) => state === "done");
      },
      () => "not all rows are done",
    );
    run.kill("SIGTERM");
    assert.deepEqual(await run.ended, { status: 0, signal: null });
  });
}

test("what fails again is a failure of its own, and holds back the rest of its key", async (t) => {
  const options = { records: 20, keys: 4, shards: 2, destination: "file:failed.jsonl" };
  const world = await FailingWorld.create(t, options);
  const run = world.run();
  await world.givenUp(run, 20);
  const api = await run.apiUrl();
  world.isBroken = false;
  world.breaks = (data) => data === "key-1:5";
  const redrive = await world.command(api, "redrive", "--mapping", "orders-stream", "--name", "first");
  assert.equal(redrive.status, 1, "not all is well");
  assert.match(redrive.stdout, /failed again 1 {2}held back 3/);
  assert.match(redrive.stdout, /1 failed again and are failures of their own/);
  const open = async () => {
    const { failures } = await world.json(api, "list");
    return failures.filter(({ state }: { state: string }) => state === "open");
  };
  await until(
    async () => (await open()).length === 4,
    () => "the rest of the key is not open again",
  );
  world.breaks = () => false;
  const again = await world.command(api, "redrive", "--mapping", "orders-stream", "--name", "second");
  assert.equal(again.status, 0, again.stdout);
  assert.deepEqual(
    world.worked().filter((data) => data.startsWith("key-1:")),
    ["key-1:1", "key-1:5", "key-1:9", "key-1:13", "key-1:17"],
  );
});

/** Kills it when the function has had so many of the redrive's records, and starts another. */
async function killedAt(world: FailingWorld, run: MillraceProcess, calls: number): Promise<MillraceProcess> {
  const reached = Promise.withResolvers<void>();
  world.onCall = () => {
    if (world.worked().length >= calls) reached.resolve();
  };
  const over = until(
    async () => (await statusOf(run, "back")).state === "done",
    () => "it did not end",
  );
  await Promise.race([reached.promise, over.catch(() => undefined)]);
  world.onCall = () => {};
  run.kill("SIGKILL");
  await run.ended;
  return world.run();
}

async function ended(run: MillraceProcess, name: string): Promise<Status> {
  let status = await statusOf(run, name);
  await until(
    async () => {
      status = await statusOf(run, name);
      return status.state === "done";
    },
    () => `${JSON.stringify(status)} ${run.stderr.slice(-3_000)}`,
    300_000,
  );
  return status;
}

async function statusOf(run: MillraceProcess, name: string): Promise<Status> {
  const response = await fetch(`${await run.apiUrl()}/millrace/v1/redrives/${name}`);
  return (await response.json()) as Status;
}

/** Records of each key in the order of their numbers. */
function assertOrder(seen: readonly string[]): void {
  const byKey = Map.groupBy(seen, (data) => data.split(":")[0]);
  for (const [key, own] of byKey) {
    const numbers = own.map((data) => Number(data.split(":")[1]));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      `${key} is out of order`,
    );
  }
}

async function bucket(): Promise<string> {
  const name = emulator.freshName();
  await emulator.createBucket(name);
  return `arn:aws:s3:::${name}`;
}
