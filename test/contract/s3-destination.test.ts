import { after } from "node:test";
import { createS3Destination } from "../../src/destinations/s3.ts";
import type { Destination } from "../../src/ports/destination.ts";
import { AwsEmulator } from "../servers/aws-emulator.ts";
import { describeDestinationContract } from "./destination.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

describeDestinationContract("s3", {
  tellsPlaces: true,
  carriesPayload: true,
  async createDestination() {
    const bucket = emulator.freshName();
    await emulator.createBucket(bucket);
    const destinations: Destination[] = [];
    return {
      async open() {
        const destination = createS3Destination({ arn: `arn:aws:s3:::${bucket}`, partition: "aws", bucket });
        destinations.push(destination);
        return destination;
      },
      async accepted() {
        return (await emulator.objects(bucket)).map(({ body, metadata }) => ({
          id: decodeURI(metadata["millrace-failure-id"] ?? ""),
          document: JSON.parse(body),
        }));
      },
      setAvailable: (isAvailable) =>
        isAvailable ? emulator.createBucket(bucket) : emulator.deleteBucket(bucket),
      async [Symbol.asyncDispose]() {
        await Promise.all(destinations.map((destination) => destination.close()));
      },
    };
  },
});
