import { DescribeTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { MillraceError } from "../../src/model/errors.ts";
import {
  type OutgoingRecord,
  outcomeOfFailure,
  type RecordSender,
  type SendOutcome,
} from "../../src/ports/record-sender.ts";
import { nameOfError } from "./sdk-failure.ts";
import type { StreamArn } from "./stream-arn.ts";

const CONCURRENCY = 16;
const BYTES_MAX = 400 * 1024;
/** A call that hangs would hold up its items for ever. */
const CALL_MS_MAX = 30_000;
/** The attribute that holds a record's data. */
const PAYLOAD = "payload";

/**
 * Puts items into the stream's table: an item for each key, overwritten again and again, so that the stream has a record of
 * each put, in order per item. The table's keys must be texts, and its stream must show new images.
 * `callMsMax` is another one in tests only.
 * @throws MillraceError when the table cannot be described or does not suit.
 */
export async function openItemSender(
  { arn, region }: StreamArn,
  callMsMax = CALL_MS_MAX,
): Promise<RecordSender> {
  const client = new DynamoDBClient({
    region,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: callMsMax,
      requestTimeout: callMsMax,
      throwOnRequestTimeout: true,
    }),
  });
  const table = /:table\/([^/]+)\//.exec(arn)?.[1] ?? "";
  try {
    const keyNames = await readKeyNames(client, table, arn);
    return {
      recordsMax: 1,
      bytesMax: BYTES_MAX,
      concurrency: CONCURRENCY,
      repeatsKeys: false,
      async send(records) {
        return await Promise.all(records.map((record) => put(client, table, keyNames, record)));
      },
      async close() {
        client.destroy();
      },
    };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

async function readKeyNames(client: DynamoDBClient, table: string, arn: string): Promise<readonly string[]> {
  const described = await client
    .send(new DescribeTableCommand({ TableName: table }))
    .catch((error: unknown) => {
      throw new MillraceError(
        "ERR_MILLRACE_SOURCE_UNAVAILABLE",
        `A load test cannot use the table ${table} of ${arn}: DescribeTable failed (${nameOfError(error)}). Look at the ` +
          "ARN, at AWS_ENDPOINT_URL_DYNAMODB if it is an emulator's, and whether the credentials may " +
          "dynamodb:DescribeTable and dynamodb:PutItem.",
        { cause: error },
      );
    });
  const { KeySchema = [], AttributeDefinitions = [], StreamSpecification } = described.Table ?? {};
  const names = KeySchema.flatMap(({ AttributeName }) => AttributeName ?? []);
  const isText = names.every((name) =>
    AttributeDefinitions.some(
      ({ AttributeName, AttributeType }) => AttributeName === name && AttributeType === "S",
    ),
  );
  const view = StreamSpecification?.StreamViewType ?? "";
  if (isText && !names.includes(PAYLOAD) && view.startsWith("NEW")) return names;
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `A load test cannot use the table ${table}: its keys must be texts (S) that are not called ${PAYLOAD}, and its stream ` +
      `must show new images, not ${view || "nothing"}. Make a table for the test.`,
  );
}

async function put(
  client: DynamoDBClient,
  table: string,
  keyNames: readonly string[],
  { key, data }: OutgoingRecord,
): Promise<SendOutcome> {
  const keys = Object.fromEntries(keyNames.map((name) => [name, { S: key }]));
  try {
    await client.send(new PutItemCommand({ TableName: table, Item: { ...keys, [PAYLOAD]: { S: data } } }));
    return "accepted";
  } catch (error) {
    return outcomeOfFailure(error);
  }
}
