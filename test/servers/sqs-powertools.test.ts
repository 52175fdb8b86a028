import { after, describe, test } from "node:test";
import {
  checkFifo,
  checkStandard,
  FIFO_BODIES,
  runPowertools,
  STANDARD_BODIES,
  VISIBILITY_SECONDS,
} from "../integration/powertools-queue.ts";
import { useAwsEnvironment } from "./aws-environment.ts";
import { startElasticmq } from "./elasticmq.ts";
import { createPlainQueue, type PlainQueue } from "./plain-queue.ts";

const server = await startElasticmq();
useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
after(() => server.close());

async function createQueue(kind: "standard" | "fifo", bodies: readonly string[]): Promise<PlainQueue> {
  const queue = await createPlainQueue(kind, { VisibilityTimeout: String(VISIBILITY_SECONDS) });
  await queue.send(...bodies);
  return queue;
}

describe("Powertools' batch processing runs unchanged", { concurrency: 2, timeout: 120_000 }, () => {
  test("standard: records that throw come again, and only these", async (t) => {
    await using queue = await createQueue("standard", STANDARD_BODIES);
    checkStandard(
      await runPowertools(t, "standard", { eventSourceArn: queue.arn, depth: () => queue.depth() }),
    );
  });

  for (const handler of ["fifo", "fifoAsync", "fifoByGroup", "fifoByGroupAsync"] as const) {
    test(`FIFO, "${handler}": a failed record and what is behind it come again in order`, async (t) => {
      await using queue = await createQueue("fifo", FIFO_BODIES);
      const run = { eventSourceArn: queue.arn, depth: () => queue.depth() };
      checkFifo(handler, await runPowertools(t, handler, run));
    });
  }
});
