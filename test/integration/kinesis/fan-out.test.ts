import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openKinesisSource } from "../../../connectors/kinesis/connector.ts";
import type { StreamRecord } from "../../../src/model/record.ts";
import type { ShardReader } from "../../../src/ports/stream-source.ts";
import { useAwsEnvironment } from "../../servers/aws-environment.ts";
import { startKinesisLocal } from "../../servers/kinesis-local.ts";
import { KinesisTestStream } from "../../servers/kinesis-stream.ts";
import type { TestServer } from "../../servers/server-process.ts";
import { writeAggregate } from "../../unit/connectors/kinesis/aggregate-writer.ts";
import { httpFunction, MillraceProcess, until } from "../cli/millrace-process.ts";
import { writeKinesisManifest } from "./kinesis-world.ts";

const SHARD_ID = "shardId-000000000000";
const NO_ABORT = new AbortController().signal;
const READS_MAX = 1_000;

let server: TestServer | undefined;
before(async () => {
  server = await startKinesisLocal();
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
});
after(() => server?.close());

async function readCount(reader: ShardReader, count: number): Promise<readonly StreamRecord[]> {
  const records: StreamRecord[] = [];
  for (let reads = 0; records.length < count; reads++) {
    assert.ok(reads < READS_MAX, `${records.length} of ${count} records came`);
    const read = await reader.read(7, 1_000_000, NO_ABORT);
    records.push(...read.records);
    await new Promise((resolve) => setTimeout(resolve, read.readAgainAfterMs));
  }
  return records;
}

test("a consumer gets its stream by fan-out, and goes on behind any position in another process's life", async (t) => {
  const stream = await KinesisTestStream.create(server?.endpoint ?? "", 1);
  t.after(() => stream.close());
  const consumerArn = await stream.registerConsumer();
  const source = await openKinesisSource(consumerArn);
  t.after(() => source.close());
  assert.equal(source.description.eventSourceArn, consumerArn);
  const reader = await source.openReader(SHARD_ID, { kind: "oldest" }, NO_ABORT);
  await stream.put([0, 1, 2, 3].map((index) => ({ key: `key-${index}`, data: `before-${index}` })));
  const first = await readCount(reader, 4);
  await stream.put([0, 1, 2, 3].map((index) => ({ key: `key-${index}`, data: `behind-${index}` })));
  const rest = await readCount(reader, 4);
  const event = JSON.parse(Buffer.from(source.events.encode([...first, ...rest], undefined)).toString());
  assert.deepEqual(
    event.Records.map(({ kinesis }: { kinesis: { data: string } }) =>
      Buffer.from(kinesis.data, "base64").toString(),
    ),
    ["before-0", "before-1", "before-2", "before-3", "behind-0", "behind-1", "behind-2", "behind-3"],
  );
  await reader.close();

  const position = first[2]?.position ?? "";
  const again = await openKinesisSource(consumerArn);
  t.after(() => again.close());
  const resumed = await again.openReader(SHARD_ID, { kind: "after", position }, NO_ABORT);
  t.after(() => resumed.close());
  const positions = (await readCount(resumed, 5)).map((record) => record.position);
  assert.deepEqual(
    positions,
    [...first, ...rest].slice(3).map((record) => record.position),
  );
});

test("a mapping over a consumer's ARN invokes with user records and the consumer's ARN, failures too", async (t) => {
  const stream = await KinesisTestStream.create(server?.endpoint ?? "", 1);
  t.after(() => stream.close());
  const consumerArn = await stream.registerConsumer();
  const names = ["first", "poison", "third"];
  const aggregate = writeAggregate(names.map((name) => ({ key: name, data: Buffer.from(name) })));
  await stream.put([
    { key: "outer", data: aggregate },
    { key: "plain", data: "plain" },
  ]);
  const arns = new Set<string>();
  const { url, seen } = await httpFunction(t, (event, response) => {
    for (const record of event.Records)
      arns.add((record as unknown as { eventSourceARN: string }).eventSourceARN);
    const isPoisoned = event.Records.some(({ kinesis }) => atob(kinesis.data) === "poison");
    response.writeHead(200, isPoisoned ? { "X-Amz-Function-Error": "Unhandled" } : {}).end("null");
  });
  const { folder, manifest } = writeKinesisManifest(t, {
    functionSpec: `http: { url: "${url}" }`,
    streamArn: consumerArn,
    mapping: [
      "batchSize: 10",
      "bisectBatchOnFunctionError: true",
      "maximumRetryAttempts: 0",
      "destinationConfig: { onFailure: { destination: 'file:failed.jsonl' } }",
    ],
  });
  const args = ["run", "-f", manifest, "--api", "off", "--checkpoint-interval-ms", "50"];
  const run = new MillraceProcess(t, args, folder);
  await until(
    // The first invocation, which fails, holds "plain" too: the last one comes after the poison was discarded.
    () => existsSync(join(folder, "failed.jsonl")) && seen.at(-1) === "plain",
    () => `the function saw ${seen}: ${run.stderr}`,
  );
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null });
  assert.deepEqual([...arns], [consumerArn]);
  const { KinesisBatchInfo, payload } = JSON.parse(readFileSync(join(folder, "failed.jsonl"), "utf8").trim());
  const [record] = JSON.parse(payload).Records;
  assert.equal(record.kinesis.partitionKey, "poison");
  assert.deepEqual(
    [KinesisBatchInfo.streamArn, KinesisBatchInfo.batchSize, KinesisBatchInfo.startSequenceNumber],
    [consumerArn, 1, record.kinesis.sequenceNumber],
  );
  assert.match(record.kinesis.sequenceNumber, /^\d{56}$/);
});
