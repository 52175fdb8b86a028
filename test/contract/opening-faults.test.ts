import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dynamodbStreamsConnector } from "../../connectors/dynamodb-streams/connector.ts";
import { openKinesisSource } from "../../connectors/kinesis/connector.ts";
import { PLAIN_MAPPING } from "../integration/stream-run.ts";
import { ACCOUNT, AwsEmulator, REGION, setAwsEnvironment } from "../servers/aws-emulator.ts";
import { startFauxqs } from "../servers/fauxqs.ts";
import { startKinesalite } from "../servers/kinesalite.ts";
import { KinesisTestStream } from "../servers/kinesis-stream.ts";
import { describeOpeningFaults, type OpenedSource } from "./opening-faults.ts";
import { openSqsSource } from "./sqs-harness.ts";

let kinesisArn = "";

describeOpeningFaults("Kinesis", {
  async start() {
    const server = await startKinesalite();
    setAwsEnvironment(server.endpoint);
    const stream = await KinesisTestStream.create(server.endpoint, 1);
    kinesisArn = stream.arn;
    stream.close();
    return server;
  },
  useEndpoint: setAwsEnvironment,
  async open(): Promise<OpenedSource> {
    const source = await openKinesisSource(kinesisArn);
    return {
      look: async (signal) => void (await source.listShards(signal)),
      close: () => source.close(),
    };
  },
  throttle: { kind: "refuse", status: 400, code: "LimitExceededException" },
  asksAtOpen: true,
  abortEndsLook: true,
});

describeOpeningFaults("SQS", {
  async start() {
    const server = await startFauxqs();
    setAwsEnvironment(server.endpoint);
    await new AwsEmulator(server).createQueue("opened");
    return server;
  },
  useEndpoint: setAwsEnvironment,
  async open(): Promise<OpenedSource> {
    const source = await openSqsSource(`arn:aws:sqs:${REGION}:${ACCOUNT}:opened`);
    const wanted = { messagesMax: 1, waitMs: 0, holdMs: 30_000 };
    return {
      look: async (signal) => void (await source.receive(wanted, signal)),
      close: () => source.close(),
    };
  },
  throttle: { kind: "refuse", status: 400, code: "RequestThrottled" },
  asksAtOpen: true,
  abortEndsLook: false,
});

const TABLE = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000";

describeOpeningFaults("DynamoDB Streams", {
  // No emulator of table streams comes from npm: test/servers has the same on DynamoDB Local.
  async start() {
    const answer = JSON.stringify({
      StreamDescription: {
        StreamStatus: "ENABLED",
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
        Shards: [{ ShardId: "shardId-1", SequenceNumberRange: { StartingSequenceNumber: "1" } }],
      },
    });
    const server = createServer((request, response) => {
      request.resume().on("end", () => response.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const close = async () => {
      server.closeAllConnections();
      server.close();
    };
    return { endpoint, close };
  },
  useEndpoint: setAwsEnvironment,
  open: () => openTableStream(TABLE),
  throttle: { kind: "refuse", status: 400, code: "LimitExceededException" },
  asksAtOpen: false,
  abortEndsLook: true,
});

async function openTableStream(eventSourceArn: string): Promise<OpenedSource> {
  const source = await dynamodbStreamsConnector.openStream({ ...PLAIN_MAPPING, eventSourceArn }, {});
  return {
    look: async (signal) => void (await source.listShards(signal)),
    close: () => source.close(),
  };
}
