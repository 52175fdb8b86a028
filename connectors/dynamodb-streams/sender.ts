import { DescribeTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { type CallLimits, callAws, OPENING } from "../../src/aws/call.ts";
import { createAwsClient } from "../../src/aws/client.ts";
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
const NEVER = new AbortController().signal;
/** The attribute that holds a record's data. */
const PAYLOAD = "payload";

/**
 * Puts items into the stream's table: an item for each key, overwritten again and again, so that the stream has a
 * record of each put, in order per item. The table's keys must be texts, and its stream must show new images.
 * `callMsMax` is another one in tests only.
 * @throws MillraceError when the table cannot be described or does not suit.
 */
export async function openItemSender(
  { arn, region }: StreamArn,
  callMsMax = CALL_MS_MAX,
): Promise<RecordSender> {
  const client = createAwsClient(
    { region, connectMs: callMsMax },
    (settings) => new DynamoDBClient(settings),
  );
  const call = { timeoutMs: callMsMax };
  const table = /:table\/([^/]+)\//.exec(arn)?.[1] ?? "";
  try {
    const keyNames = await readKeyNames(client, table, arn, call);
    return {
      recordsMax: 1,
      bytesMax: BYTES_MAX,
      concurrency: CONCURRENCY,
      repeatsKeys: false,
      async send(records) {
        return await Promise.all(records.map((record) => put(client, table, keyNames, record, call)));
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

async function readKeyNames(
  client: DynamoDBClient,
  table: string,
  arn: string,
  call: CallLimits,
): Promise<readonly string[]> {
  const command = new DescribeTableCommand({ TableName: table });
  const described = await callAws(NEVER, { ...OPENING, ...call }, (abortSignal) =>
    client.send(command, { abortSignal }),
  ).catch((error: unknown) => {
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
  call: CallLimits,
): Promise<SendOutcome> {
  const keys = Object.fromEntries(keyNames.map((name) => [name, { S: key }]));
  try {
    const command = new PutItemCommand({ TableName: table, Item: { ...keys, [PAYLOAD]: { S: data } } });
    await callAws(NEVER, call, (abortSignal) => client.send(command, { abortSignal }));
    return "accepted";
  } catch (error) {
    return outcomeOfFailure(error);
  }
}
