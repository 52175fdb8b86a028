import { test } from "node:test";
import { dataOf, FailingWorld } from "../../integration/failures/failing-world.ts";
import { FAILURES, KEYS, KILLED, proveKilledRedrive } from "../../integration/failures/killed-redrive.ts";
import { useAwsEnvironment } from "../aws-environment.ts";
import { startElasticmq } from "../elasticmq.ts";
import { createPlainQueue, redriveTo } from "../plain-queue.ts";

const RECEIVES_MAX = 3;
const ENTRIES_MAX = 10;

test(
  `${FAILURES} dead letters of ${KEYS} groups come back from a queue in order, none twice, over ten kills`,
  KILLED,
  async (t) => {
    const server = await startElasticmq();
    t.after(() => server.close());
    useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
    await using dead = await createPlainQueue("fifo");
    await using queue = await createPlainQueue("fifo", {
      VisibilityTimeout: "120",
      ...redriveTo(dead, RECEIVES_MAX),
    });
    const letters = dataOf(FAILURES, KEYS);
    for (let start = 0; start < letters.length; start += ENTRIES_MAX) {
      const Entries = letters.slice(start, start + ENTRIES_MAX).map(({ key, data }, at) => ({
        Id: String(at),
        MessageBody: data,
        MessageGroupId: key,
        MessageDeduplicationId: data,
      }));
      await dead.client.sendMessageBatch({ QueueUrl: dead.url, Entries });
    }
    const world = await FailingWorld.of(
      t,
      "orders-queue",
      `  eventSourceArn: ${queue.arn}
  batchSize: 1
`,
    );
    await proveKilledRedrive(t, world, {
      mapping: "orders-queue",
      // Each group has a place of its own in the list.
      shards: KEYS,
      isShownInPart: true,
      ready: async () => undefined,
      isAllOver: async () => (await dead.depth()) === 0,
    });
  },
);
