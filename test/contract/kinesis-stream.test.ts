import { after, before } from "node:test";
import { useAwsEnvironment } from "../servers/aws-environment.ts";
import { startKinesisLocal } from "../servers/kinesis-local.ts";
import type { TestServer } from "../servers/server-process.ts";
import { createKinesisFixture, openFastSource } from "./kinesis-harness.ts";
import { describeStreamSourceContract } from "./stream-source.ts";

const MISSING = "arn:aws:kinesis:eu-west-1:000000000000:stream/missing";

let server: TestServer | undefined;
before(async () => {
  server = await startKinesisLocal();
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
});
after(() => server?.close());

describeStreamSourceContract("Kinesis, polled, on kinesis-local", {
  can: { startAtTimestamp: true, split: true, merge: true, trim: false, expireIterators: false },
  createStream: (shards) => createKinesisFixture({ endpoint: server?.endpoint ?? "", shards }),
  openMissingStream: () => openFastSource(MISSING),
});
