/** Load tests of sources that exist, on servers that npm brings; those of others stand in `test/servers`. */
import { test } from "node:test";
import { ACCOUNT, AwsEmulator, REGION } from "../servers/aws-emulator.ts";
import { useAwsEnvironment } from "../servers/aws-environment.ts";
import { startKinesisLocal } from "../servers/kinesis-local.ts";
import { KinesisTestStream } from "../servers/kinesis-stream.ts";
import { HANG, loadExistingSource } from "./load-run.ts";

test(
  "a load test of a Kinesis stream: every record succeeds, in order, and what was there before is left alone",
  HANG,
  async (t) => {
    const server = await startKinesisLocal();
    t.after(() => server.close());
    useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
    const stream = await KinesisTestStream.create(server.endpoint, 2);
    t.after(() => stream.close());
    await stream.put(
      Array.from({ length: 20 }, (_, index) => ({ key: `key-${index}`, data: "from before" })),
    );
    await loadExistingSource(t, {
      mapping: `eventSourceArn: ${stream.arn}\nbatchSize: 20\nparallelizationFactor: 2`,
      errors: "throwPercent: 4, partialPercent: 4",
    });
  },
);

test(
  "a load test of a standard SQS queue: every message succeeds once, and others are counted only",
  HANG,
  async (t) => {
    const emulator = await AwsEmulator.start();
    t.after(() => emulator.close());
    const name = emulator.freshName();
    await emulator.createQueue(name, { VisibilityTimeout: "120" });
    await emulator.send(name, ["from before", "another"]);
    await loadExistingSource(t, {
      mapping: `eventSourceArn: arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`,
      // What fails in the function comes back when its visibility ends: too late for this test.
      errors: "throttlePercent: 5",
      foreign: 2,
    });
  },
);
