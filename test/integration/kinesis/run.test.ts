import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { useAwsEnvironment } from "../../servers/aws-environment.ts";
import { startKinesalite } from "../../servers/kinesalite.ts";
import { KinesisTestStream } from "../../servers/kinesis-stream.ts";
import type { TestServer } from "../../servers/server-process.ts";
import { httpFunction, MillraceProcess } from "../cli/millrace-process.ts";
import { writeKinesisManifest } from "./kinesis-world.ts";

const RUN = ["--api", "off", "--until-caught-up", "--checkpoint-interval-ms", "50"];
const POWERTOOLS = join(import.meta.dirname, "../../fixtures/functions/powertools-kinesis.mjs");

let server: TestServer | undefined;
before(async () => {
  server = await startKinesalite();
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
});
after(() => server?.close());

test("a poison record in a batch of 1,000 is found by bisecting; it alone is discarded, all others keep their order", async (t) => {
  const batch = 1_000;
  const poison = 1_637;
  const stream = await KinesisTestStream.create(server?.endpoint ?? "", 1);
  t.after(() => stream.close());
  await stream.put(
    Array.from({ length: 3 * batch }, (_, index) => ({ key: `key-${index % 50}`, data: `${index}` })),
  );
  const attempts: number[][] = [];
  const succeeded: number[] = [];
  const { url } = await httpFunction(t, ({ Records }, response) => {
    const ordinals = Records.map(({ kinesis }) => Number(Buffer.from(kinesis.data, "base64").toString()));
    attempts.push(ordinals);
    if (ordinals.includes(poison)) {
      response.writeHead(200, { "X-Amz-Function-Error": "Unhandled" }).end('{"errorMessage":"poison"}');
      return;
    }
    succeeded.push(...ordinals);
    response.end();
  });
  const { folder, manifest } = writeKinesisManifest(t, {
    functionSpec: `http: { url: "${url}" }`,
    streamArn: stream.arn,
    mapping: [
      `batchSize: ${batch}`,
      "bisectBatchOnFunctionError: true",
      "maximumRetryAttempts: 0",
      "destinationConfig: { onFailure: { destination: 'file:failed.jsonl' } }",
    ],
  });
  const run = new MillraceProcess(t, ["run", "-f", manifest, ...RUN], folder);
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);

  const ofItsBatch = attempts.filter((ordinals) => ordinals.some((o) => o >= batch && o < 2 * batch));
  const bound = 2 * Math.ceil(Math.log2(batch)) + 1;
  assert.ok(ofItsBatch.length <= bound, `${ofItsBatch.length} invocations, where ${bound} are enough`);
  const others = Array.from({ length: 3 * batch }, (_, index) => index).filter((o) => o !== poison);
  assert.deepEqual(succeeded, others);
  const lines = readFileSync(join(folder, "failed.jsonl"), "utf8").trim().split("\n");
  assert.equal(lines.length, 1);
  const { requestContext, KinesisBatchInfo, payload } = JSON.parse(lines[0] ?? "");
  assert.equal(requestContext.condition, "RetryAttemptsExhausted");
  const [record] = JSON.parse(payload).Records;
  assert.equal(Buffer.from(record.kinesis.data, "base64").toString(), String(poison));
  assert.deepEqual(
    [KinesisBatchInfo.batchSize, KinesisBatchInfo.streamArn, KinesisBatchInfo.shardId],
    [1, stream.arn, "shardId-000000000000"],
  );
  assert.equal(KinesisBatchInfo.startSequenceNumber, record.kinesis.sequenceNumber);
  assert.equal(record.eventID, `shardId-000000000000:${record.kinesis.sequenceNumber}`);
});

test("a handler with Powertools' batch processor runs unchanged, with partial failures", async (t) => {
  const stream = await KinesisTestStream.create(server?.endpoint ?? "", 1);
  t.after(() => stream.close());
  await stream.put(
    Array.from({ length: 6 }, (_, index) => ({
      key: "a",
      data: JSON.stringify({ name: `record-${index}` }),
    })),
  );
  const { folder, manifest } = writeKinesisManifest(t, {
    functionSpec: `module: { path: "${POWERTOOLS}", isolation: thread, environment: { SEEN_FILE: seen.txt } }`,
    streamArn: stream.arn,
    mapping: ["batchSize: 6", "functionResponseTypes: [ReportBatchItemFailures]"],
  });
  const run = new MillraceProcess(t, ["run", "-f", manifest, ...RUN], folder);
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
  const seen = readFileSync(join(folder, "seen.txt"), "utf8").trim().split("\n");
  const sorted = (lines: readonly string[]) => lines.toSorted();
  // The processor goes on behind a failure; the engine retries from it on, and nothing before it.
  assert.deepEqual(sorted(seen.slice(0, 6)), [
    "done record-0",
    "done record-1",
    "done record-2",
    "done record-4",
    "done record-5",
    "failed record-3",
  ]);
  assert.deepEqual(sorted(seen.slice(6, 9)), ["done record-4", "done record-5", "failed record-3"]);
  assert.deepEqual(sorted(seen.slice(9)), ["done record-3", "done record-4", "done record-5"]);
});

test("a stream that does not exist, or may not be reached, ends the start with what to look at", async (t) => {
  const missing = "arn:aws:kinesis:eu-west-1:000000000000:stream/nowhere";
  const { folder, manifest } = writeKinesisManifest(t, {
    functionSpec: 'http: { url: "http://127.0.0.1:9/" }',
    streamArn: missing,
    mapping: [],
  });
  const run = new MillraceProcess(t, ["run", "-f", manifest, ...RUN], folder);
  assert.equal((await run.ended).status, 1);
  assert.match(
    run.stderr,
    /EventSourceMapping orders-stream: kinesis:DescribeStreamSummary on arn:aws:kinesis/,
  );
  assert.match(run.stderr, /stream\/nowhere found nothing there.*Look at name, account and region/s);
  assert.doesNotMatch(run.stderr, /^\s+at /m);
});
