import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";

/** A stream takes the parameters of all streams; reading it takes these permissions. */
export const kinesisParameters: ConnectorParameters = {
  title: "Kinesis",
  fields: {},
  templateEvents: { Kinesis: { moved: { Stream: ["eventSourceArn"] } } },
  actions: [
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
    // With the ARN of a consumer.
    "kinesis:SubscribeToShard",
  ],
};
