import { randomUUID } from "node:crypto";
import { after } from "node:test";
import { describeQueueSourceContract } from "../contract/queue-source.ts";
import { openSqsSource, sqsFixture } from "../contract/sqs-harness.ts";
import { AWS_TEST_REGION, useAwsEnvironment } from "./aws-environment.ts";
import { startElasticmq } from "./elasticmq.ts";
import { createPlainQueue } from "./plain-queue.ts";

const server = await startElasticmq();
useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
after(() => server.close());

describeQueueSourceContract("SQS, standard and FIFO, on ElasticMQ", {
  // A hold that ended can be settled as long as nobody has received the message again: `elasticmq.test.ts`.
  can: { fifo: true, tellLostAcknowledgements: false, change: true, damage: false },
  async createQueue({ isFifo, visibilityMs }) {
    const attributes = { VisibilityTimeout: String(visibilityMs / 1000) };
    const queue = await createPlainQueue(isFifo ? "fifo" : "standard", attributes);
    return sqsFixture(queue.arn, {
      async send(messages) {
        for (const { body, groupId } of messages) {
          const place =
            groupId === undefined ? {} : { MessageGroupId: groupId, MessageDeduplicationId: randomUUID() };
          await queue.sendOne({ MessageBody: body, ...place });
        }
      },
      reshape: (ms) => queue.change({ VisibilityTimeout: String(ms / 1000) }),
      remove: () => queue.drop(),
      remake: (ms) => queue.remake({ VisibilityTimeout: String(ms / 1000) }),
      drop: async () => await queue[Symbol.asyncDispose](),
    });
  },
  openMissingQueue: () => openSqsSource(`arn:aws:sqs:${AWS_TEST_REGION}:000000000000:missing`),
});
