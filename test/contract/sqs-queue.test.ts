import { after } from "node:test";
import { ACCOUNT, AwsEmulator, REGION } from "../servers/aws-emulator.ts";
import { describeQueueSourceContract } from "./queue-source.ts";
import { openSqsSource, sqsFixture } from "./sqs-harness.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

const arnOf = (queueName: string) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${queueName}`;

describeQueueSourceContract("sqs", {
  // The emulator's FIFO queues give one message of a group at a time, and expired ones in reverse.
  can: { fifo: false, tellLostAcknowledgements: false, change: true, damage: false },
  async createQueue({ visibilityMs }) {
    const queueName = emulator.freshName();
    await emulator.createQueue(queueName, { VisibilityTimeout: String(visibilityMs / 1000) });
    return sqsFixture(arnOf(queueName), {
      send: (messages) =>
        emulator.send(
          queueName,
          messages.map(({ body }) => body),
        ),
      reshape: (ms) => emulator.changeQueue(queueName, { VisibilityTimeout: String(ms / 1000) }),
      remove: () => emulator.deleteQueue(queueName),
      remake: (ms) => emulator.createQueue(queueName, { VisibilityTimeout: String(ms / 1000) }),
      drop: () => emulator.deleteQueue(queueName),
    });
  },
  openMissingQueue: () => openSqsSource(arnOf(emulator.freshName())),
});
