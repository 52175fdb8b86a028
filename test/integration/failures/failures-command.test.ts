import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ACCOUNT, AwsEmulator, REGION } from "../../servers/aws-emulator.ts";
import { FailingWorld } from "./failing-world.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

const RECORDS = 24;
const KEYS = 5;

for (const place of ["file", "s3"] as const) {
  test(`failures are listed, shown, exported, and listed anew from a destination of the kind ${place}`, async (t) => {
    const destination = place === "file" ? "file:failed.jsonl" : await bucket();
    const world = await FailingWorld.create(t, { records: RECORDS, keys: KEYS, shards: 3, destination });
    const run = world.run();
    await world.givenUp(run, RECORDS);
    const api = await run.apiUrl();

    const { failures } = await world.json(api, "list");
    assert.equal(failures.length, RECORDS);
    const [first] = failures;
    assert.equal(first.mapping, "orders-stream");
    assert.equal(first.condition, "RetryAttemptsExhausted");
    assert.equal(first.errorType, "TypeError");
    assert.match(first.errorMessage, /^no price for key-\d:\d+$/);
    assert.equal(first.state, "open");
    assert.ok(first.where.at !== undefined);
    const table = await world.command(api, "list", "--error", first.errorId, "--max", "3");
    assert.match(table.stdout, /^ID +MAPPING +AT +RECORDS +BYTES +SHARD +STATE +WHY$/m);
    assert.match(table.stdout, /open +TypeError: no price for key-\d:\d+ +[0-9a-z]+$/m);
    assert.match(table.stderr, /There are more than 3/);

    const ofKey = await world.json(api, "list", "--key", "key-1");
    assert.equal(ofKey.failures.length, 5);
    const shards = new Set<string>(failures.map((each: { shardId: string }) => each.shardId));
    assert.equal(shards.size, 3);
    const [last] = [...shards].sort().reverse();
    const ofShard = await world.json(api, "list", "--shard", `${last}..${last}`);
    assert.ok(ofShard.failures.every((each: { shardId: string }) => each.shardId === last));
    assert.equal((await world.json(api, "list", "--until", "1d")).failures.length, 0);
    assert.equal((await world.json(api, "list", "--since", "1h")).failures.length, RECORDS);

    const shown = await world.json(api, "show", ofKey.failures[0].id, "--decode");
    assert.match(shown.records[0].record.kinesis.data, /^key-1:\d+$/);
    assert.equal(shown.records[0].key, "key-1");
    assert.equal(shown.document.requestContext.condition, "RetryAttemptsExhausted");
    const exported = await world.command(api, "export", "--key", "key-1", "--decode");
    const lines = exported.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ records }) => records[0].record.kinesis.data).sort(),
      [1, 6, 11, 16, 21].map((number) => `key-1:${number}`).sort(),
    );
    assert.equal((await world.command(api, "show", "nobody")).status, 2);

    run.kill("SIGKILL");
    await run.ended;
    rmSync(join(world.folder, "progress.db"));
    world.isBroken = false;
    const again = world.run();
    const anew = await again.apiUrl();
    assert.equal((await world.json(anew, "list")).failures.length, 0);
    assert.equal((await world.json(anew, "reindex", "--mapping", "orders-stream")).found, RECORDS);
    const listed = (await world.json(anew, "list")).failures;
    const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id).sort();
    assert.deepEqual(idsOf(listed), idsOf(failures), "with the ids that they had");
    const back = await world.json(anew, "list", "--key", "key-1");
    assert.deepEqual(idsOf(back.failures), idsOf(ofKey.failures));
  });
}

test("failures whose destination keeps no events are listed, and say what their redrive would do", async (t) => {
  const name = emulator.freshName();
  await emulator.createQueue(name);
  const destination = `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
  const world = await FailingWorld.create(t, { records: 4, keys: 2, shards: 1, destination });
  const run = world.run();
  await world.givenUp(run, 4);
  const api = await run.apiUrl();
  const { failures } = await world.json(api, "list");
  assert.deepEqual(
    failures.map(({ where }: { where: object }) => where),
    Array(4).fill({ destination }),
  );
  const shown = await world.json(api, "show", failures[0].id);
  assert.match(shown.remark, /a redrive of it reads the source again/);
  assert.deepEqual(shown.records, []);
});

async function bucket(): Promise<string> {
  const name = emulator.freshName();
  await emulator.createBucket(name);
  return `arn:aws:s3:::${name}`;
}
