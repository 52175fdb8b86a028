import { after, test } from "node:test";
import { AwsEmulator } from "../../servers/aws-emulator.ts";
import { leadLife } from "./mapping-life.ts";
import { createQueueLife } from "./sqs-life.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

test("AWS's SDK leads a mapping of an SQS queue through its life", async (t) => {
  await leadLife(t, await createQueueLife(emulator));
});
