import { after, test } from "node:test";
import { leadLife } from "../integration/api/mapping-life.ts";
import { createQueueLife } from "../integration/api/sqs-life.ts";
import { createCliClient } from "./aws-cli-client.ts";
import { AwsEmulator } from "./aws-emulator.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

test("AWS's command line leads a mapping of an SQS queue through its life", {
  timeout: 600_000,
}, async (t) => {
  await leadLife(t, await createQueueLife(emulator), createCliClient);
});
