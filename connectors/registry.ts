import type { Connector } from "../src/ports/connector.ts";
import { dynamodbStreamsConnector } from "./dynamodb-streams/connector.ts";
import { kafkaConnector } from "./kafka/connector.ts";
import { kinesisConnector } from "./kinesis/connector.ts";
import { localConnector, localQueueConnector } from "./local/connector.ts";
import { sqsConnector } from "./sqs/connector.ts";

/** The only list of connectors. */
export const CONNECTORS: readonly Connector[] = [
  dynamodbStreamsConnector,
  kafkaConnector,
  kinesisConnector,
  localConnector,
  localQueueConnector,
  sqsConnector,
];
