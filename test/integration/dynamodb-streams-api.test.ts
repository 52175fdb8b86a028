import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { after, test } from "node:test";
import { createDynamodbEvents, createRecordFactory } from "../../connectors/dynamodb-streams/event.ts";
import { createSdkStreamApi } from "../../connectors/dynamodb-streams/sdk-stream-api.ts";
import { rejectsWith } from "../contract/rejects-with.ts";
import { NO_ABORT } from "../contract/stream-source-harness.ts";
import { ARN } from "../unit/connectors/dynamodb-streams/fake-source.ts";

interface Request {
  readonly target: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the next requests get; a function gets the response itself. */
const answers: (object | ((response: ServerResponse) => void))[] = [];
const requests: Request[] = [];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const target = String(request.headers["x-amz-target"]);
    requests.push({ target, body: JSON.parse(Buffer.concat(chunks).toString()) });
    const answer = answers.shift();
    if (typeof answer === "function") return answer(response);
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(JSON.stringify(answer ?? {}));
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = server.address();
const port = typeof address === "object" && address !== null ? address.port : 0;
process.env["AWS_ENDPOINT_URL_DYNAMODB_STREAMS"] = `http://127.0.0.1:${port}`;
process.env["AWS_ACCESS_KEY_ID"] = "test";
process.env["AWS_SECRET_ACCESS_KEY"] = "test";
process.env["AWS_MAX_ATTEMPTS"] = "1";

const api = createSdkStreamApi(ARN);
after(() => {
  api.close();
  server.closeAllConnections();
  server.close();
});

function fails(name: string, status = 400) {
  return (response: ServerResponse) => {
    response.statusCode = status;
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(
      JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: "as AWS writes it" }),
    );
  };
}

const getRecords = (signal = NO_ABORT) => api.getRecords("shard-1", "iterator", 1_000, signal);

test("each call asks for what it is told to, of the stream that the ARN names", async () => {
  requests.length = 0;
  answers.push({ StreamDescription: {} }, { ShardIterator: "i" }, { Records: [] });
  await api.describe("shard-0", NO_ABORT);
  await api.openIterator("shard-1", { kind: "after", sequenceNumber: "17" }, NO_ABORT);
  await getRecords();
  const at = (action: string) => `DynamoDBStreams_20120810.${action}`;
  assert.deepEqual(requests, [
    { target: at("DescribeStream"), body: { StreamArn: ARN.arn, ExclusiveStartShardId: "shard-0" } },
    {
      target: at("GetShardIterator"),
      body: {
        StreamArn: ARN.arn,
        ShardId: "shard-1",
        ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
        SequenceNumber: "17",
      },
    },
    { target: at("GetRecords"), body: { ShardIterator: "iterator", Limit: 1000 } },
  ]);
});

test("a page of DescribeStream is told whole", async () => {
  const range = { StartingSequenceNumber: "1", EndingSequenceNumber: "9" };
  answers.push({
    StreamDescription: {
      StreamStatus: "ENABLED",
      KeySchema: [
        { AttributeName: "sk", KeyType: "RANGE" },
        { AttributeName: "pk", KeyType: "HASH" },
      ],
      Shards: [{ ShardId: "b", ParentShardId: "a", SequenceNumberRange: range }, { ShardId: "c" }],
      LastEvaluatedShardId: "c",
    },
  });
  const open = {
    parentShardId: undefined,
    startingSequenceNumber: undefined,
    endingSequenceNumber: undefined,
  };
  assert.deepEqual(await api.describe(undefined, NO_ABORT), {
    status: "ENABLED",
    partitionKeyName: "pk",
    shards: [
      { shardId: "b", parentShardId: "a", startingSequenceNumber: "1", endingSequenceNumber: "9" },
      { shardId: "c", ...open },
    ],
    lastShardId: "c",
  });
});

test("expiry and trimming are results, where they belong to normal life", async () => {
  answers.push(fails("ExpiredIteratorException"), fails("TrimmedDataAccessException"));
  assert.deepEqual(await getRecords(), { kind: "expired" });
  assert.deepEqual(await getRecords(), { kind: "trimmed" });
  answers.push(fails("TrimmedDataAccessException"));
  const from = { kind: "after", sequenceNumber: "17" } as const;
  assert.deepEqual(await api.openIterator("shard-1", from, NO_ABORT), { kind: "trimmed" });
  answers.push(fails("ExpiredIteratorException"));
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => api.openIterator("shard-1", from, NO_ABORT));
});

test("errors of the wire arrive in the words of the port", async () => {
  for (const [name, status, code] of [
    ["LimitExceededException", 400, "ERR_MILLRACE_SOURCE_THROTTLED"],
    ["ThrottlingException", 400, "ERR_MILLRACE_SOURCE_THROTTLED"],
    ["ResourceNotFoundException", 400, "ERR_MILLRACE_SOURCE_NOT_FOUND"],
    ["InternalServerError", 500, "ERR_MILLRACE_SOURCE_UNAVAILABLE"],
    ["AccessDeniedException", 400, "ERR_MILLRACE_SOURCE_UNAVAILABLE"],
    ["UnrecognizedClientException", 400, "ERR_MILLRACE_SOURCE_UNAVAILABLE"],
  ] as const) {
    answers.push(fails(name, status));
    const { message } = await rejectsWith(code, () => getRecords());
    assert.ok(message.includes(ARN.arn), message);
    assert.ok(!message.includes("as AWS writes it"), message);
  }
  answers.push((response) => response.socket?.destroy());
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => getRecords());
  answers.push((response) => response.end("not JSON"));
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => getRecords());
});

test("an abort ends a call that the service leaves hanging", async () => {
  const caller = new AbortController();
  answers.push(() => caller.abort());
  await rejectsWith("ERR_MILLRACE_ABORTED", () => getRecords(caller.signal));
});

test("time is told by the service's clock, however wrong the host's is", async () => {
  const serviceMs = Date.UTC(2031, 4, 6);
  answers.push((response) => {
    response.setHeader("date", new Date(serviceMs).toUTCString());
    response.end(JSON.stringify({ Records: [] }));
  });
  await getRecords();
  const aheadMs = api.now() - serviceMs;
  assert.ok(aheadMs >= 0 && aheadMs < 60_000, `${aheadMs} ms`);
});

test("an attribute called __proto__ is delivered as it was written, and its neighbours with it", async () => {
  const image = '{"__proto__":{"S":"p"},"constructor":{"S":"c"},"pk":{"S":"x"}}';
  answers.push((response) => {
    response.end(
      `{"Records":[{"dynamodb":{"SequenceNumber":"1","Keys":{"pk":{"S":"x"}},"NewImage":${image}}}]}`,
    );
  });
  const page = await getRecords();
  assert.ok(page.kind === "records");
  const records = page.records.map(createRecordFactory(ARN, "pk"));
  const event = Buffer.from(createDynamodbEvents(ARN.arn).encode(records, undefined)).toString();
  assert.ok(event.includes(`"NewImage":${image}`), event);
});

test("without credentials the error says where they are looked for", async () => {
  const before = { ...process.env };
  const nowhere = { AWS_EC2_METADATA_DISABLED: "true", AWS_CONFIG_FILE: "/dev/null" };
  Object.assign(process.env, nowhere, { AWS_SHARED_CREDENTIALS_FILE: "/dev/null" });
  delete process.env["AWS_ACCESS_KEY_ID"];
  delete process.env["AWS_PROFILE"];
  const stranger = createSdkStreamApi(ARN);
  const { message } = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () =>
    stranger.describe(undefined, NO_ABORT),
  );
  stranger.close();
  Object.assign(process.env, before);
  assert.match(message, /on arn:aws:dynamodb:.* There are no AWS credentials\. .*AWS_ACCESS_KEY_ID/);
});
