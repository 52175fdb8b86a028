import { after } from "node:test";
import { createS3Destination } from "../../src/destinations/s3.ts";
import { createS3FailureReader } from "../../src/destinations/s3-reader.ts";
import { AwsEmulator } from "../servers/aws-emulator.ts";
import { describeFailureReaderContract } from "./failure-reader.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

describeFailureReaderContract("s3", {
  async createPlace() {
    const bucket = emulator.freshName();
    await emulator.createBucket(bucket);
    const place = { arn: `arn:aws:s3:::${bucket}`, bucket, partition: "aws" };
    const closing: (() => Promise<void>)[] = [];
    return {
      async openDestination() {
        const destination = createS3Destination(place);
        closing.push(() => destination.close());
        return destination;
      },
      async openReader() {
        const reader = createS3FailureReader(place);
        closing.push(() => reader.close());
        return reader;
      },
      litter: () => emulator.putObject(bucket, "aws/lambda/11111111-1111-4111-8111-111111111111/x/y", "{}"),
      async [Symbol.asyncDispose]() {
        await Promise.all(closing.map((close) => close()));
      },
    };
  },
});
