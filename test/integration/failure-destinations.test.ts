import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, type TestContext, test } from "node:test";
import {
  type FailureRecord,
  failureDocument,
  failureDocumentWithPayload,
} from "../../src/model/failure-record.ts";
import { sampleFailure } from "../contract/destination.ts";
import { ACCOUNT, AwsEmulator, REGION } from "../servers/aws-emulator.ts";
import { accepted, refused, startCannedAws } from "../servers/canned-aws.ts";
import { httpFunction, MillraceProcess, orderFolder, until } from "./cli/millrace-process.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());
const emulatorEndpoint = process.env["AWS_ENDPOINT_URL"];

const RECORDS = 20;
const POISON = "7";

test("a poison record ends in a queue, as AWS's document and alone", async (t) => {
  const name = emulator.freshName();
  await emulator.createQueue(name);
  const { run } = await poisonedStream(t, `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`);
  const metrics = await run.caughtUp();
  const messages = await emulator.receive(name);
  assert.deepEqual(
    messages.map(({ Body = "" }) => shapeOf(JSON.parse(Body))),
    [shapeOf(failureDocument(LOCAL_SAMPLE))],
  );
  assertPoison(JSON.parse(messages[0]?.Body ?? ""));
  assertDelivered(metrics);
});

test("a poison record ends at a topic's subscriber, as AWS's document and alone", async (t) => {
  const name = emulator.freshName();
  await emulator.createQueue(name);
  await emulator.createTopic(name);
  const { run } = await poisonedStream(t, `arn:aws:sns:${REGION}:${ACCOUNT}:${name}`);
  const metrics = await run.caughtUp();
  const documents = (await emulator.receive(name)).map(({ Body = "" }) =>
    JSON.parse(JSON.parse(Body).Message),
  );
  assert.deepEqual(documents.map(shapeOf), [shapeOf(failureDocument(LOCAL_SAMPLE))]);
  assertPoison(documents[0]);
  assertDelivered(metrics);
});

test("a poison record ends in a bucket, as AWS's document with the event, under AWS's key", async (t) => {
  const bucket = emulator.freshName();
  await emulator.createBucket(bucket);
  const { run } = await poisonedStream(t, `arn:aws:s3:::${bucket}`);
  const metrics = await run.caughtUp();
  const objects = await emulator.objects(bucket);
  const documents = objects.map(({ body }) => JSON.parse(body));
  assert.deepEqual(documents.map(shapeOf), [shapeOf(failureDocumentWithPayload(LOCAL_SAMPLE))]);
  assertPoison(documents[0]);
  const event = JSON.parse(documents[0].payload);
  assert.deepEqual(event.Records.map(dataOf), [POISON]);
  const { timestamp, KinesisBatchInfo } = documents[0];
  const seconds = timestamp.slice(0, 19);
  const folder = `${KinesisBatchInfo.shardId}/${seconds.slice(0, 10).replaceAll("-", "/")}`;
  const start = `aws/lambda/${MAPPING_UUID}/${folder}/${seconds.replaceAll(":", ".")}-`;
  assert.equal(objects[0]?.key.slice(0, -36), start);
  assert.equal(objects[0]?.contentType, "application/octet-stream");
  assertDelivered(metrics);
});

test("no checkpoint passes a poison record before its queue is there, also not at a stop", async (t) => {
  const name = emulator.freshName();
  const arn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
  const { run, seen, restart } = await poisonedStream(t, arn);
  await run.metric("destination_delivery_failures", (value) => value >= 2);
  const warning = await run.process.logged("the failure destination did not accept a record; trying again");
  assert.match(
    String(warning["error"]),
    new RegExp(
      `^ERR_MILLRACE_DESTINATION_UNAVAILABLE: A failure record was not accepted by ${arn}: sqs:GetQueueUrl failed \\(QueueDoesNotExist, HTTP 400.*\\)\\. Create it`,
    ),
  );
  run.process.kill("SIGTERM");
  await run.process.ended;

  const before = countOf(seen, POISON);
  const second = restart();
  await second.metric("destination_delivery_failures", (value) => value >= 1);
  assert.ok(countOf(seen, POISON) > before, "the record was settled though no queue had it");
  await emulator.createQueue(name);
  const metrics = await second.caughtUp();
  const documents = (await emulator.receive(name)).map(({ Body = "" }) => JSON.parse(Body));
  assert.equal(documents.length, 1);
  assertPoison(documents[0]);
  assert.equal(total(metrics, "on_failure_destination_delivered_events"), 1);
  assert.equal(total(metrics, "dropped_events"), 0);
  assert.deepEqual([...new Set(seen)].sort(), ALL);
});

test("a record that its queue rejects is dropped and counted, and its shard goes on", async (t) => {
  await startCannedAws(t, (request) =>
    request.action === "GetQueueUrl" ? accepted(request) : refused("sqs", 400, "InvalidMessageContents"),
  );
  t.after(() => {
    process.env["AWS_ENDPOINT_URL"] = emulatorEndpoint;
  });
  const { run, seen } = await poisonedStream(t, `arn:aws:sqs:${REGION}:${ACCOUNT}:failed`);
  const metrics = await run.caughtUp();
  assert.equal(total(metrics, "destination_delivery_failures"), 1);
  assert.equal(total(metrics, "dropped_events"), 1);
  assert.equal(total(metrics, "on_failure_destination_delivered_events"), 0);
  assert.deepEqual([...new Set(seen)].sort(), ALL);
});

const MAPPING_UUID = "22222222-2222-4222-8222-222222222222";
const ALL = Array.from({ length: RECORDS }, (_, index) => String(index)).sort();
/** A function error of HTTP has the shape of the sample, and so has a local stream's batch. */
const LOCAL_SAMPLE: FailureRecord = sampleFailure("a");

/** A local stream of two shards with a record that its function always fails, and millrace at work on it. */
async function poisonedStream(t: TestContext, destination: string) {
  const { url, seen } = await httpFunction(t, ({ Records }, response) => {
    response.writeHead(Records.map(dataOf).includes(POISON) ? 500 : 200).end();
  });
  const { folder, manifest } = orderFolder(t, url, RECORDS);
  const settings = `  uuid: ${MAPPING_UUID}
  maximumRetryAttempts: 1
  bisectBatchOnFunctionError: true
  destinationConfig: { onFailure: { destination: "${destination}" } }
`;
  writeFileSync(manifest, readFileSync(manifest, "utf8") + settings);
  const args = [
    "run",
    "-f",
    manifest,
    "--api",
    "127.0.0.1:0",
    "--checkpoint-interval-ms",
    "50",
    "--drain-seconds",
    "1",
  ];
  const start = () => new Run(new MillraceProcess(t, args, folder));
  return { run: start(), seen, restart: start };
}

class Run {
  readonly process: MillraceProcess;

  constructor(process: MillraceProcess) {
    this.process = process;
  }

  /** The metrics once all is settled and checkpointed. */
  async caughtUp(): Promise<string> {
    await this.#until(async (api) => {
      const { mappings } = JSON.parse(await textOf(`${api}/millrace/v1/status`));
      const shards: { caughtUp: boolean }[] = mappings[0].shards;
      return shards.length === 2 && shards.every(({ caughtUp }) => caughtUp);
    });
    return await textOf(`${await this.process.apiUrl()}/metrics`);
  }

  async metric(name: string, isWanted: (value: number) => boolean): Promise<void> {
    await this.#until(async (api) => isWanted(total(await textOf(`${api}/metrics`), name)));
  }

  async #until(condition: (api: string) => Promise<boolean>): Promise<void> {
    const api = await this.process.apiUrl();
    await until(
      () => condition(api),
      () => this.process.stderr,
    );
  }
}

async function textOf(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

function total(metrics: string, name: string): number {
  const line = new RegExp(`^millrace_${name}_total\\{mapping="orders-stream"\\} (\\d+)$`, "m").exec(metrics);
  return Number(line?.[1] ?? 0);
}

/** Names of members, in their order, at every level. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.entries(value).map(([name, member]) => [name, shapeOf(member)]);
}

function assertPoison(document: ReturnType<typeof JSON.parse>): void {
  const { requestContext, responseContext, version, KinesisBatchInfo } = document;
  assert.equal(requestContext.functionArn, "arn:aws:lambda:eu-west-1:000000000000:function:orders");
  assert.equal(requestContext.condition, "RetryAttemptsExhausted");
  assert.equal(requestContext.approximateInvokeCount, 2);
  assert.deepEqual(responseContext, {
    statusCode: 200,
    executedVersion: "$LATEST",
    functionError: "Unhandled",
  });
  assert.equal(version, "1.0");
  assert.equal(KinesisBatchInfo.batchSize, 1);
  assert.equal(KinesisBatchInfo.startSequenceNumber, KinesisBatchInfo.endSequenceNumber);
  assert.equal(KinesisBatchInfo.streamArn, "arn:aws:local:eu-west-1:000000000000:stream/orders");
}

function assertDelivered(metrics: string): void {
  assert.equal(total(metrics, "on_failure_destination_delivered_events"), 1);
  assert.equal(total(metrics, "destination_delivery_failures"), 0);
  assert.equal(total(metrics, "dropped_events"), 0);
}

function dataOf({ kinesis }: { readonly kinesis: { readonly data: string } }): string {
  return Buffer.from(kinesis.data, "base64").toString();
}

function countOf(seen: readonly string[], data: string): number {
  return seen.filter((each) => each === data).length;
}
