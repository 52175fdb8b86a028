import { after } from "node:test";
import { createSqsDestination } from "../../src/destinations/sqs.ts";
import type { Destination } from "../../src/ports/destination.ts";
import { ACCOUNT, AwsEmulator, REGION } from "../servers/aws-emulator.ts";
import { describeDestinationContract } from "./destination.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

describeDestinationContract("sqs", {
  tellsPlaces: false,
  carriesPayload: false,
  async createDestination() {
    const queueName = emulator.freshName();
    await emulator.createQueue(queueName);
    const destinations: Destination[] = [];
    return {
      async open() {
        const arn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${queueName}`;
        const destination = createSqsDestination({ arn, region: REGION, account: ACCOUNT, queueName });
        destinations.push(destination);
        return destination;
      },
      async accepted() {
        const messages = await emulator.receive(queueName);
        return messages.map(({ Body = "", MessageAttributes = {} }) => ({
          id: decodeURI(MessageAttributes["millrace-failure-id"]?.StringValue ?? ""),
          document: JSON.parse(Body),
        }));
      },
      setAvailable: (isAvailable) =>
        isAvailable ? emulator.createQueue(queueName) : emulator.deleteQueue(queueName),
      async [Symbol.asyncDispose]() {
        await Promise.all(destinations.map((destination) => destination.close()));
      },
    };
  },
});
