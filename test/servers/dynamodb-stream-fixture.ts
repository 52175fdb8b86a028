import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AttributeValue,
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { dynamodbStreamsConnector } from "../../connectors/dynamodb-streams/connector.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import type { SampleRecord } from "../contract/stream-source-harness.ts";
import { PLAIN_MAPPING } from "../integration/stream-run.ts";
import { useAwsEnvironment } from "./aws-environment.ts";

/**
 * What DynamoDB Local's ARNs say, and so what the connector asks for; a server that is not shared keeps regions apart.
 */
const LOCAL_REGION = "ddblocal";

export type Item = Record<string, AttributeValue>;

/** A table with a stream, on the server that tests run. */
export interface TestTable {
  readonly name: string;
  readonly streamArn: string;
  readonly client: DynamoDBClient;
  put(item: Item): Promise<void>;
  append(records: readonly SampleRecord[]): Promise<void>;
  drop(): Promise<void>;
}

/** The connector is opened as in production: what differs is the environment, which is this test process's own. */
export function useEndpoint(endpoint: string): void {
  useAwsEnvironment({ AWS_ENDPOINT_URL_DYNAMODB_STREAMS: endpoint, AWS_ENDPOINT_URL_DYNAMODB: endpoint });
}

export async function createTable(partitionKeyType: "S" | "N" | "B" = "S"): Promise<TestTable> {
  const client = new DynamoDBClient({ region: LOCAL_REGION });
  const name = `T-${randomUUID()}`;
  const output = await client.send(
    new CreateTableCommand({
      TableName: name,
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: partitionKeyType }],
      BillingMode: "PAY_PER_REQUEST",
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    }),
  );
  const put = async (item: Item) => {
    await client.send(new PutItemCommand({ TableName: name, Item: item }));
  };
  return {
    name,
    streamArn: output.TableDescription?.LatestStreamArn ?? "",
    client,
    put,
    async append(records) {
      for (const { key, data } of records) await put({ pk: { S: key }, data: { S: data } });
    },
    async drop() {
      await client.send(new DeleteTableCommand({ TableName: name }));
      client.destroy();
    },
  };
}

export function openStream(streamArn: string): Promise<StreamSource> {
  return dynamodbStreamsConnector.openStream({ ...PLAIN_MAPPING, eventSourceArn: streamArn }, {});
}

/** No quota to keep to on the test server: what is waited for is only that time goes by at all. */
export async function pauseShortly(ms: number): Promise<void> {
  await sleep(Math.min(ms, 5));
}
