import { randomUUID } from "node:crypto";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { sqsConnector } from "../../connectors/sqs/connector.ts";
import type { QueueMapping } from "../../src/model/mapping.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import { describeQueueSourceContract } from "../contract/queue-source.ts";
import { AWS_TEST_REGION, useAwsEnvironment } from "./aws-environment.ts";
import { startElasticmq } from "./elasticmq.ts";
import { createPlainQueue } from "./plain-queue.ts";

const ACCOUNT = "000000000000";

const server = await startElasticmq();
useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
after(() => server.close());

describeQueueSourceContract("SQS, standard and FIFO, on ElasticMQ", {
  // A hold that ended can be settled as long as nobody has received the message again: `elasticmq.test.ts`.
  can: { fifo: true, tellLostAcknowledgements: false },
  async createQueue({ isFifo, visibilityMs }) {
    const attributes = { VisibilityTimeout: String(visibilityMs / 1000) };
    const queue = await createPlainQueue(isFifo ? "fifo" : "standard", attributes);
    const sources: QueueSource[] = [];
    return {
      async openSource() {
        const source = await sqsConnector.openQueue(mappingOf(queue.arn), {});
        sources.push(source);
        return source;
      },
      async send(messages) {
        for (const { body, groupId } of messages) {
          const place =
            groupId === undefined ? {} : { MessageGroupId: groupId, MessageDeduplicationId: randomUUID() };
          await queue.sendOne({ MessageBody: body, ...place });
        }
      },
      pause: (ms) => sleep(ms),
      bodiesOf(event) {
        const { Records } = event as { readonly Records: readonly { readonly body: string }[] };
        return Records.map(({ body }) => body);
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(sources.map((source) => source.close()));
        await queue[Symbol.asyncDispose]();
      },
    };
  },
  openMissingQueue: () =>
    sqsConnector.openQueue(mappingOf(`arn:aws:sqs:${AWS_TEST_REGION}:${ACCOUNT}:missing`), {}),
});

function mappingOf(eventSourceArn: string): QueueMapping {
  return {
    uuid: "11111111-2222-4333-8444-555555555555",
    name: "orders",
    functionName: "orders",
    functionArn: `arn:aws:lambda:${AWS_TEST_REGION}:${ACCOUNT}:function:orders`,
    eventSourceArn,
    enabled: true,
    batchSize: 10,
    batchingWindowMs: 0,
    reportBatchItemFailures: false,
    filterPatterns: [],
    concurrencyMax: undefined,
    provisionedPollers: undefined,
    strictAwsFifo: false,
  };
}
