import type { StreamConnector } from "../../src/ports/connector.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { dynamodbEventRecords, dynamodbPipeRecords } from "./event-records.ts";
import { KIND } from "./kind.ts";
import { dynamodbParameters } from "./parameters.ts";
import { ARN_SERVICE, parseStreamArn } from "./stream-arn.ts";

/**
 * Streams of DynamoDB tables (streams §7). Each mapping has one reader a shard, and DynamoDB serves two readers a
 * shard: with more than two mappings on a stream, or other readers beside them, reads are throttled, as on AWS. The SDK
 * is loaded only where a mapping reads one.
 */
export const dynamodbStreamsConnector: StreamConnector = {
  kind: KIND,
  offers: "stream",
  sources: [{ kind: "arn", service: ARN_SERVICE, resourcePrefix: "" }],
  filterDataKey: FILTER_DATA_KEY,
  startingPositions: ["TRIM_HORIZON", "LATEST"],
  endpointNames: [],
  parameters: dynamodbParameters,
  eventRecords: dynamodbEventRecords,
  pipeRecords: dynamodbPipeRecords,
  async openStream(mapping) {
    const arn = parseStreamArn(mapping.eventSourceArn ?? "");
    const [{ createSdkStreamApi }, { createDynamodbSource }] = await Promise.all([
      import("./sdk-stream-api.ts"),
      import("./source.ts"),
    ]);
    return createDynamodbSource(arn, createSdkStreamApi(arn));
  },
  async openSender(mapping) {
    const { openItemSender } = await import("./sender.ts");
    return await openItemSender(parseStreamArn(mapping.eventSourceArn ?? ""));
  },
};
