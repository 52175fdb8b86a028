import assert from "node:assert/strict";
import { test } from "node:test";
import { useAwsEnvironment } from "../../servers/aws-environment.ts";
import { startKinesisLocal } from "../../servers/kinesis-local.ts";
import { KinesisTestStream } from "../../servers/kinesis-stream.ts";
import { Witness } from "../../servers/suites/witness.ts";
import { MillraceProcess, until } from "../cli/millrace-process.ts";
import { writeKinesisManifest } from "./kinesis-world.ts";

const KEYS = 40;
const ROUNDS = 15;

test("a stream whose shard count is updated, up and down again, while it is read keeps the order of its keys", async (t) => {
  const server = await startKinesisLocal();
  t.after(() => server.close());
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
  const stream = await KinesisTestStream.create(server.endpoint, 2);
  t.after(() => stream.close());
  const witness = await Witness.start(() => 1, 0);
  t.after(() => witness.close());
  const { folder, manifest } = writeKinesisManifest(t, {
    functionSpec: `http: { url: "${witness.url}" }`,
    streamArn: stream.arn,
    mapping: ["batchSize: 10", "parallelizationFactor: 4"],
  });
  const args = ["run", "-f", manifest, "--api", "off", "--checkpoint-interval-ms", "50"];
  const run = new MillraceProcess(t, args, folder);
  for (let round = 0; round < ROUNDS; round++) {
    await stream.put(Array.from({ length: KEYS }, (_, key) => ({ key: `key-${key}`, data: `${round}/` })));
    if (round === 4) await stream.updateShardCount(4);
    if (round === 9) await stream.updateShardCount(2);
  }
  await until(
    () => witness.distinct === KEYS * ROUNDS || witness.breaches.length > 0,
    () => `${witness.distinct} of ${KEYS * ROUNDS} records came: ${run.stderr}`,
  );
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null });
  assert.deepEqual(witness.breaches, []);
  assert.equal(witness.deliveries, KEYS * ROUNDS, "a record came twice");
  assert.ok((await stream.shards()).length >= 8);
});
