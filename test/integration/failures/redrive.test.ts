import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AwsEmulator } from "../../servers/aws-emulator.ts";
import { until } from "../cli/millrace-process.ts";
import { FailingWorld } from "./failing-world.ts";
import { FAILURES, KEYS, KILLED, listedFailures, proveKilledRedrive, SHARDS } from "./killed-redrive.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

for (const place of ["file", "s3"] as const) {
  const title = `${FAILURES} failures of ${KEYS} keys come back from a ${place} in order, none twice, over ten kills`;
  test(title, KILLED, async (t) => {
    const destination = place === "file" ? "file:failed.jsonl" : await bucket();
    const options = { records: FAILURES, keys: KEYS, shards: SHARDS, destination };
    const world = await FailingWorld.create(t, options);
    await proveKilledRedrive(t, world, listedFailures(world, "orders-stream"));
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

async function bucket(): Promise<string> {
  const name = emulator.freshName();
  await emulator.createBucket(name);
  return `arn:aws:s3:::${name}`;
}
