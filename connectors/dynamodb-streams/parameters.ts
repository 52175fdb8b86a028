import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";

/** A table's stream takes the parameters of all streams; reading it takes these permissions. */
export const dynamodbParameters: ConnectorParameters = {
  title: "DynamoDB Streams",
  fields: {},
  templateEvents: { DynamoDB: { moved: { Stream: ["eventSourceArn"] } } },
  actions: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
};
