import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { sqsConnector } from "../../connectors/sqs/connector.ts";
import type { QueueMapping } from "../../src/model/mapping.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import { ACCOUNT, AwsEmulator, REGION } from "../servers/aws-emulator.ts";
import { describeQueueSourceContract } from "./queue-source.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

function mappingOf(queueName: string): QueueMapping {
  return {
    uuid: "11111111-2222-4333-8444-555555555555",
    name: "orders",
    functionName: "orders",
    functionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:orders`,
    eventSourceArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${queueName}`,
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

describeQueueSourceContract("sqs", {
  // The emulator's FIFO queues give one message of a group at a time, and expired ones in reverse.
  can: { fifo: false, tellLostAcknowledgements: false },
  async createQueue({ visibilityMs }) {
    const queueName = emulator.freshName();
    await emulator.createQueue(queueName, { VisibilityTimeout: String(visibilityMs / 1000) });
    const sources: QueueSource[] = [];
    return {
      async openSource() {
        const source = await sqsConnector.openQueue(mappingOf(queueName), {});
        sources.push(source);
        return source;
      },
      send: (messages) =>
        emulator.send(
          queueName,
          messages.map(({ body }) => body),
        ),
      pause: (ms) => sleep(ms),
      bodiesOf(event) {
        const { Records } = event as { readonly Records: readonly { readonly body: string }[] };
        return Records.map(({ body }) => body);
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(sources.map((source) => source.close()));
      },
    };
  },
  openMissingQueue: () => sqsConnector.openQueue(mappingOf(emulator.freshName()), {}),
});
