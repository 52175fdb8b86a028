import { after } from "node:test";
import { sqsConnector } from "../../connectors/sqs/connector.ts";
import type { DeadLetters } from "../../src/ports/dead-letters.ts";
import { PLAIN_QUEUE_MAPPING } from "../fixtures/queue-mapping.ts";
import { ACCOUNT, AwsEmulator, REGION } from "../servers/aws-emulator.ts";
import { describeDeadLettersContract } from "./dead-letters.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

const arnOf = (name: string) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;

describeDeadLettersContract("sqs", {
  peekHides: true,
  async createQueues(isFifo) {
    const ending = isFifo ? ".fifo" : "";
    const kind: Record<string, string> = isFifo ? { FifoQueue: "true" } : {};
    const [dead, orders] = [`${emulator.freshName()}${ending}`, `${emulator.freshName()}${ending}`];
    await emulator.createQueue(dead, kind);
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount: 3 });
    await emulator.createQueue(orders, { ...kind, RedrivePolicy });
    const opened: DeadLetters[] = [];
    return {
      async open(of) {
        const mapping = { ...PLAIN_QUEUE_MAPPING, eventSourceArn: arnOf(of === "plain" ? dead : orders) };
        const letters = await sqsConnector.openDeadLetters?.(mapping, {});
        if (letters !== undefined) opened.push(letters);
        return letters;
      },
      async fill(letters) {
        for (const letter of letters) await emulator.sendOne(dead, letter);
      },
      async ofSource() {
        const messages = await emulator.receive(orders);
        return messages.map(
          ({ Body, MessageAttributes }) => `${Body} ${MessageAttributes?.["colour"]?.StringValue}`,
        );
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(opened.map((letters) => letters.close()));
      },
    };
  },
});
