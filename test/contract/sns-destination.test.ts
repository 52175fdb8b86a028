import { after } from "node:test";
import { createSnsDestination } from "../../src/destinations/sns.ts";
import type { Destination } from "../../src/ports/destination.ts";
import { ACCOUNT, AwsEmulator, REGION } from "../servers/aws-emulator.ts";
import { describeDestinationContract } from "./destination.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

describeDestinationContract("sns", {
  tellsPlaces: false,
  carriesPayload: false,
  async createDestination() {
    const name = emulator.freshName();
    await emulator.createQueue(name);
    await emulator.createTopic(name);
    const destinations: Destination[] = [];
    return {
      async open() {
        const destination = createSnsDestination({
          arn: `arn:aws:sns:${REGION}:${ACCOUNT}:${name}`,
          region: REGION,
        });
        destinations.push(destination);
        return destination;
      },
      async accepted() {
        const messages = await emulator.receive(name);
        return messages.map(({ Body = "" }) => {
          const { Message, MessageAttributes } = JSON.parse(Body);
          return {
            id: decodeURI(MessageAttributes["millrace-failure-id"].Value),
            document: JSON.parse(Message),
          };
        });
      },
      setAvailable: (isAvailable) => (isAvailable ? emulator.createTopic(name) : emulator.deleteTopic(name)),
      async [Symbol.asyncDispose]() {
        await Promise.all(destinations.map((destination) => destination.close()));
      },
    };
  },
});
