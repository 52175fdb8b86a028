import { describeOpeningFaults } from "../contract/opening-faults.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { createTable, openStream, useEndpoint } from "./dynamodb-stream-fixture.ts";

let streamArn = "";

describeOpeningFaults("DynamoDB Streams on DynamoDB Local", {
  async start() {
    const server = await startDynamodbLocal();
    useEndpoint(server.endpoint);
    const table = await createTable();
    streamArn = table.streamArn;
    table.client.destroy();
    return server;
  },
  useEndpoint,
  async open() {
    const source = await openStream(streamArn);
    return {
      look: async (signal) => void (await source.listShards(signal)),
      close: () => source.close(),
    };
  },
  throttle: { kind: "refuse", status: 400, code: "LimitExceededException" },
  asksAtOpen: false,
  abortEndsLook: true,
});
